//! Turns a checked set into a constant expression, or its mistakes into compiler errors.
//! A set goes in, tokens come out: paths through the runtime's hidden `__private` module, a block
//! of its own for its names.
//! The set is written as source text and parsed by the compiler's own lexer, because building a
//! token stream piece by piece costs several times as much in an unoptimised macro.

use std::fmt::Write as _;
use std::path::Path;

use migrate_core::name::{Kind, Layout};
use migrate_core::set::{Ends, Migration, Script};
use migrate_core::source::{SourceError, SourceErrors};
use migrate_core::sql::directive::TransactionMode;
use migrate_core::sql::kind::SessionEffect;
use migrate_core::sql::placeholder::Within;
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
    let texts: usize = set.iter().map(|migration| migration.up().text().len()).sum();
    let mut out = String::with_capacity(texts + 512 * set.len() + 1024);
    push_tracking(&mut out, embedded);
    out.push_str("const MIGRATIONS: &[migrate::Migration] = &[");
    for migration in set {
        push_migration(&mut out, migration);
    }
    let layout = layout(set.layout());
    let (module, folder) = (set.module(), set.folder());
    out.push_str("];");
    push_origin(&mut out, embedded);
    let _ = write!(out, "migrate::migrations({module:?},{folder:?},{layout},ORIGIN,MIGRATIONS)");
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

fn push_migration(out: &mut String, migration: &Migration) {
    let kind = match migration.kind() {
        Kind::Versioned => "migrate::Kind::Versioned",
        Kind::Repeatable => "migrate::Kind::Repeatable",
    };
    let version = migration.version().as_str();
    let _ = write!(out, "migrate::migration({version:?},{:?},{kind},*b\"", migration.name());
    for byte in migration.checksum().as_bytes() {
        let _ = write!(out, "\\x{byte:02x}");
    }
    out.push_str("\",");
    push_script(out, migration.up());
    match migration.down() {
        None => out.push_str(",::core::option::Option::None"),
        Some(down) => {
            out.push_str(",::core::option::Option::Some(");
            push_script(out, down);
            out.push(')');
        }
    }
    out.push_str("),");
}

fn push_script(out: &mut String, script: &Script) {
    let _ = write!(out, "migrate::script({:?},", script.filename());
    push_text(out, script.text());
    out.push_str(",&[");
    for (start, end) in script.statements() {
        let _ = write!(out, "[{start},{end}],");
    }
    out.push_str("],&[");
    for placeholder in script.placeholders() {
        let within = match placeholder.within {
            Within::Sql => "Sql",
            Within::String => "String",
            Within::EscapeString => "EscapeString",
            Within::DollarString => "DollarString",
        };
        let (start, end) = (placeholder.start, placeholder.end);
        let _ = write!(out, "migrate::placeholder({start},{end},migrate::Within::{within}),");
    }
    let transaction = match script.transaction() {
        TransactionMode::Transactional => "Transactional",
        TransactionMode::NonTransactional => "NonTransactional",
    };
    let session = match script.session() {
        SessionEffect::Keeps => "Keeps",
        SessionEffect::Changes => "Changes",
        SessionEffect::Resets => "Resets",
    };
    let _ =
        write!(out, "],migrate::TransactionMode::{transaction},migrate::SessionEffect::{session})");
    if script.ends() == Ends::WithFunction {
        out.push_str(".with_function()");
    }
}

/// A raw string literal, where nothing has to be escaped, which is most of the work otherwise.
/// Other than ASCII is escaped all the same: the compiler refuses some of it in plain sight
/// (lint `text_direction_codepoint_in_literal`).
fn push_text(out: &mut String, text: &str) {
    if !text.is_ascii() {
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
