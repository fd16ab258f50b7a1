//! Turns a checked set into a constant expression, or its mistakes into compiler errors.
//! A set goes in, tokens come out: paths through the runtime's hidden `__private` module, a block
//! of its own for its names.
//! A set is a few literals, which the compiler escapes and reads itself, because an unoptimised macro
//! takes several times as long for whatever it does piece by piece.

use std::fmt::Write as _;
use std::path::Path;

use migrate_set::name::Layout;
use migrate_set::set::Traits;
use migrate_source::check::{SourceError, SourceErrors};
use migrate_source::pack::Packed;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

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
    let (runtime, set) = (&input.runtime, &embedded.set);
    let Ok(tracking) = tracking(embedded).parse::<TokenStream>() else {
        // It is made of escaped literals: the compiler can lex it.
        let message = "the files could not be written as tokens; please report this as a bug";
        return quote_spanned! { input.folder.span() => ::core::compile_error! { #message } };
    };
    let warnings = embedded.warnings.iter().map(|warning| warning_tokens(input, warning));
    let Packed { text, table } = Packed::of(set.as_slice());
    let (text, table) = (literal(&text), Literal::byte_string(&table));
    let files: Vec<&str> = embedded.files.iter().map(|(file, _)| file.as_str()).collect();
    let (origin, files) = (literal(&embedded.folder), literal(&files.join("\0")));
    let (module, folder, layout) = (set.module(), set.folder(), layout(set.layout()));
    let Traits { orders_by_name, has_non_transactional } = set.traits();
    quote! {{
        use #runtime::__private as migrate;
        #(#warnings)*
        #tracking
        fn list() -> &'static [migrate::Migration] {
            static LIST: migrate::OnceLock<migrate::Vec<migrate::Migration>> =
                migrate::OnceLock::new();
            LIST.get_or_init(|| migrate::unpack(#text, #table))
        }
        // Where a debug build remembers that the set came from.
        const ORIGIN: ::core::option::Option<migrate::Origin> = if ::core::cfg!(debug_assertions) {
            ::core::option::Option::Some(migrate::Origin { folder: #origin, files: #files })
        } else {
            ::core::option::Option::None
        };
        const TRAITS: migrate::Traits = migrate::Traits {
            orders_by_name: #orders_by_name,
            has_non_transactional: #has_non_transactional,
        };
        migrate::Migrations::embedded(
            #module,
            #folder,
            migrate::Layout::#layout,
            ORIGIN,
            TRAITS,
            list,
        )
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

/// What makes the compiler look again when a file, or the wish to write the lock, changes. Nothing
/// of it lands in the binary.
fn tracking(embedded: &Embedded) -> String {
    let folder = Path::new(&embedded.folder);
    let path = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let (texts, others): (Vec<_>, Vec<_>) =
        embedded.files.iter().partition(|(_, is_utf8)| *is_utf8);
    // One expression for all texts: 1,000 of them take the compiler some 6 ms more.
    let mut out = String::from("const _: &::core::primitive::str = ::core::concat!(");
    for text in texts.iter().map(|(file, _)| path(file)).chain(embedded.lock.clone()) {
        out.push_str("::core::include_str!(");
        push_path(&mut out, &text);
        out.push_str("),");
    }
    out.push_str(");");
    for (file, _) in others {
        out.push_str("const _: &[::core::primitive::u8] = ::core::include_bytes!(");
        push_path(&mut out, &path(file));
        out.push_str(");");
    }
    if embedded.lock.is_some() {
        let variable = "::core::option::Option<&::core::primitive::str>";
        let _ = write!(out, "const _: {variable} = ::core::option_env!({UPDATE_LOCK:?});");
    }
    out
}

/// A path as a literal; most need no escape, and to look for what does takes its time for each.
fn push_path(out: &mut String, path: &str) {
    if path.contains(['"', '\\', '\r']) || !path.is_ascii() {
        let _ = write!(out, "{path:?}");
    } else {
        out.push('"');
        out.push_str(path);
        out.push('"');
    }
}

/// A string literal, escaped where the compiler would refuse what it says in plain sight: what turns
/// the direction of writing (lint `text_direction_codepoint_in_literal`).
fn literal(text: &str) -> TokenStream {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // All of them begin with this byte, and most texts have none.
    if text.as_bytes().contains(&0xe2)
        && text.contains(turns)
        && let Ok(escaped) = format!("{text:?}").parse()
    {
        return escaped;
    }
    Literal::string(text).into_token_stream()
}

fn layout(layout: Layout) -> TokenStream {
    match layout {
        Layout::Numeric => quote!(Numeric),
        Layout::Timestamp => quote!(Timestamp),
        Layout::Flyway => quote!(Flyway),
        Layout::Folders => quote!(Folders),
        Layout::Prisma => quote!(Prisma),
        Layout::Any => quote!(Any),
    }
}
