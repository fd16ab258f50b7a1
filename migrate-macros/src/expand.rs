//! Turns a checked set into a constant expression, or its mistakes into compiler errors.
//! A set goes in, tokens come out: paths through the runtime's hidden `__private` module, a block
//! of its own for its names.
//! The set is written as source text and parsed by the compiler's own lexer, because building a
//! token stream piece by piece costs several times as much in an unoptimised macro.

use std::fmt::Write as _;
use std::path::Path;

use migrate_core::name::Layout;
use migrate_core::packed::Packed;
use migrate_core::set::Traits;
use migrate_core::source::{SourceError, SourceErrors};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::embed::{Embedded, UPDATE_LOCK};
use crate::input::Input;

/// One `compile_error!` a mistake, all of them on the folder's literal.
pub(crate) fn errors(input: &Input, errors: &SourceErrors) -> TokenStream {
    let runtime = &input.runtime;
    let span = input.folder.span();
    let errors = errors.0.iter().map(|error| {
        let message = error.to_string();
        quote_spanned! { span => ::core::compile_error! { #message } }
    });
    quote! {{
        #(#errors)*
        #runtime::__private::no_migrations()
    }}
}

/// The set as a constant expression of type `Migrations`.
pub(crate) fn set(input: &Input, embedded: &Embedded) -> TokenStream {
    let runtime = &input.runtime;
    let source = source(embedded);
    let Ok(body) = source.parse::<TokenStream>() else {
        // Every piece below is an escaped literal or a number: the compiler can lex it.
        let message = "the set could not be written as tokens; please report this as a bug";
        return quote_spanned! { input.folder.span() => ::core::compile_error! { #message } };
    };
    let warnings = embedded.warnings.iter().map(|warning| warning_tokens(input, warning));
    quote! {{
        use #runtime::__private as migrate;
        #(#warnings)*
        #body
    }}
}

/// The only warning that a stable compiler lets a macro give: the use of something deprecated.
fn warning_tokens(input: &Input, warning: &SourceError) -> TokenStream {
    let message = warning.to_string();
    quote_spanned! { input.folder.span() =>
        const _: () = {
            #[deprecated(note = #message)]
            const MIGRATION: () = ();
            MIGRATION
        };
    }
}

fn source(embedded: &Embedded) -> String {
    let set = &embedded.set;
    let packed = Packed::of(set.as_slice());
    let mut out = String::with_capacity(packed.text.len() + 4 * packed.table.len() + 1024);
    push_tracking(&mut out, embedded);
    push_packed(&mut out, &packed);
    push_origin(&mut out, embedded);
    let layout = layout(set.layout());
    let (module, folder) = (set.module(), set.folder());
    let Traits { orders_by_name, has_non_transactional } = set.traits();
    let traits = format!(
        "migrate::Traits {{ orders_by_name: {orders_by_name}, \
         has_non_transactional: {has_non_transactional} }}"
    );
    let _ = write!(
        out,
        "migrate::Migrations::embedded({module:?},{folder:?},{layout},ORIGIN,{traits},list)"
    );
    out
}

/// What makes the compiler look again when a file, or the wish to write the lock, changes. Nothing
/// of it lands in the binary.
fn push_tracking(out: &mut String, embedded: &Embedded) {
    let folder = Path::new(&embedded.folder);
    let paths = embedded.files.iter().map(|file| folder.join(file).to_string_lossy().into_owned());
    // One constant for all files: each costs the compiler an item.
    out.push_str("const _: () = {");
    for path in paths.chain(embedded.lock.clone()) {
        let _ = write!(out, "::core::include_bytes!({path:?});");
    }
    out.push_str("};");
    if embedded.lock.is_some() {
        let variable = "::core::option::Option<&::core::primitive::str>";
        let _ = write!(out, "const _: {variable} = ::core::option_env!({UPDATE_LOCK:?});");
    }
}

/// Where a debug build remembers that the set came from.
fn push_origin(out: &mut String, embedded: &Embedded) {
    out.push_str(
        "const ORIGIN: ::core::option::Option<migrate::Origin> = \
         if ::core::cfg!(debug_assertions) { ::core::option::Option::Some(migrate::Origin { ",
    );
    let _ = write!(out, "folder: {:?}, files: &[", embedded.folder);
    for file in &embedded.files {
        let _ = write!(out, "{file:?},");
    }
    out.push_str("] }) } else { ::core::option::Option::None };");
}

/// The function that unpacks the set, once.
fn push_packed(out: &mut String, packed: &Packed) {
    out.push_str(
        "fn list() -> &'static [migrate::Migration] {\
         static LIST: migrate::OnceLock<migrate::Vec<migrate::Migration>> = \
         migrate::OnceLock::new();\
         LIST.get_or_init(|| migrate::unpack(",
    );
    push_text(out, &packed.text);
    out.push(',');
    push_bytes(out, &packed.table);
    out.push_str("))}");
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("b\"");
    for byte in bytes {
        out.push_str("\\x");
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    out.push('"');
}

/// A raw string literal, where nothing has to be escaped, which is most of the work otherwise.
fn push_text(out: &mut String, text: &str) {
    // No raw string takes a carriage return, and the compiler refuses what turns the direction of
    // writing in plain sight (lint `text_direction_codepoint_in_literal`).
    let is_plain = |c: char| !matches!(c, '\r' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().all(is_plain) {
        let _ = write!(out, "{text:?}");
        return;
    }
    let mut longest = 0;
    let mut run = 0;
    for byte in text.bytes() {
        run = if byte == b'#' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "#".repeat(longest + 1);
    let _ = write!(out, "r{fence}\"{text}\"{fence}");
}

fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Numeric => "migrate::Layout::Numeric",
        Layout::Timestamp => "migrate::Layout::Timestamp",
        Layout::Flyway => "migrate::Layout::Flyway",
        Layout::Folders => "migrate::Layout::Folders",
        Layout::Prisma => "migrate::Layout::Prisma",
        Layout::Any => "migrate::Layout::Any",
    }
}
