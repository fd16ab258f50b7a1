//! Generates a constant expression from a checked set, or compiler errors from its mistakes.
//!
//! The expression is a block, so that its names stay local, and refers to the runtime through the
//! hidden module `__private`. A set becomes a few literals that the compiler escapes and parses,
//! because an unoptimised macro is several times slower at building many small tokens.

use std::fmt::Write as _;
use std::path::Path;

use migrate_set::set::Traits;
use migrate_source::check::{SourceError, SourceErrors};
use migrate_source::pack::Packed;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

use crate::embed::{Embedded, UPDATE_HISTORY};
use crate::input::Input;

/// One `compile_error!` per mistake, all on the folder's literal.
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
    // Read by the compiler, which is optimised: `proc_macro2` would first read the text itself.
    let tracking = if let Ok(tokens) = tracking(embedded).parse::<proc_macro::TokenStream>() {
        TokenStream::from(tokens)
    } else {
        // Unreachable: the text consists of escaped literals.
        let message = "the files could not be written as tokens; please report this as a bug";
        quote_spanned! { input.folder.span() => ::core::compile_error! { #message } }
    };
    let warnings = embedded.warnings.iter().map(|warning| warning_tokens(input, warning));
    let Packed { text, table } = Packed::of(set.as_slice());
    let (text, table) = (literal(&text), Literal::byte_string(&table));
    let origin = origin(input, embedded);
    let layout = Ident::new(&format!("{:?}", set.layout()), Span::call_site());
    let (module, folder) = (set.module(), set.folder());
    let Traits { orders_by_name, count, digest, has_data, runs_outside } = set.traits();
    let digest = digest.value();
    quote! {{
        use #runtime::__private as migrate;
        #(#warnings)*
        #tracking
        fn list() -> &'static [migrate::Migration] {
            static LIST: migrate::OnceLock<migrate::Vec<migrate::Migration>> =
                migrate::OnceLock::new();
            LIST.get_or_init(|| migrate::unpack(#text, #table))
        }
        const ORIGIN: ::core::option::Option<migrate::Origin> = #origin;
        const TRAITS: migrate::Traits = migrate::Traits {
            orders_by_name: #orders_by_name,
            count: #count,
            digest: migrate::Digest::new(#digest),
            has_data: #has_data,
            runs_outside: #runs_outside,
        };
        const LAYOUT: migrate::Layout = migrate::Layout::#layout;
        migrate::Migrations::embedded(#module, #folder, LAYOUT, ORIGIN, TRAITS, list)
    }}
}

/// The folder of the set, which only a debug build records.
fn origin(input: &Input, embedded: &Embedded) -> TokenStream {
    let runtime = &input.runtime;
    let files: Vec<&str> = embedded.files.iter().map(|file| file.path.as_str()).collect();
    let mut digests = String::new();
    for file in &embedded.files {
        let _ = write!(digests, "{:016x}", file.digest);
    }
    let (origin, files) = (literal(&embedded.folder), literal(&files.join("\0")));
    let package = &embedded.package;
    quote! {
        if ::core::cfg!(debug_assertions) {
            ::core::option::Option::Some(#runtime::__private::Origin {
                folder: #origin,
                files: #files,
                digests: #digests,
                package: #package,
                compare: #runtime::__private::differences,
            })
        } else {
            ::core::option::Option::None
        }
    }
}

/// The use of a deprecated item, the only warning that a macro can emit on a stable compiler.
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

/// Constants that make the compiler run the macro again when a file, or the request to update the files beside the
/// folder, changes. The binary contains none of them.
fn tracking(embedded: &Embedded) -> String {
    let folder = Path::new(&embedded.folder);
    let path = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let (texts, others): (Vec<_>, Vec<_>) = embedded.files.iter().partition(|file| file.is_utf8);
    // One expression for all texts, because 1,000 expressions take the compiler 6 ms longer.
    let mut out = String::from("const _: &::core::primitive::str = ::core::concat!(");
    for text in texts.iter().map(|file| path(&file.path)).chain(embedded.beside.iter().cloned()) {
        out.push_str("::core::include_str!(");
        push_path(&mut out, &text);
        out.push_str("),");
    }
    out.push_str(");");
    for file in others {
        out.push_str("const _: &[::core::primitive::u8] = ::core::include_bytes!(");
        push_path(&mut out, &path(&file.path));
        out.push_str(");");
    }
    if !embedded.beside.is_empty() {
        let variable = "::core::option::Option<&::core::primitive::str>";
        let _ = write!(out, "const _: {variable} = ::core::option_env!({UPDATE_HISTORY:?});");
    }
    out
}

/// A path as a literal; most paths need no escaping, which is slow.
fn push_path(out: &mut String, path: &str) {
    // One search for each: that of one character is in the standard library, which is optimised.
    if path.is_ascii() && !['"', '\\', '\r'].into_iter().any(|c| path.contains(c)) {
        out.push('"');
        out.push_str(path);
        out.push('"');
    } else {
        let _ = write!(out, "{path:?}");
    }
}

/// A string literal, escaped if it contains characters that change the text direction, which the
/// compiler refuses (lint `text_direction_codepoint_in_literal`).
fn literal(text: &str) -> TokenStream {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // All these characters begin with this byte, and most texts do not contain it.
    if text.as_bytes().contains(&0xe2)
        && text.contains(turns)
        && let Ok(escaped) = format!("{text:?}").parse()
    {
        return escaped;
    }
    Literal::string(text).into_token_stream()
}
