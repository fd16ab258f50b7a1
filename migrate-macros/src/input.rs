//! Parses the arguments of the macro.

use migrate_source::check::{Down, Duplicates, Empty, Lints, SetOptions, Syntax};
use migrate_source::names::Dialects;
use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

/// The arguments of one macro call.
pub(crate) struct Input {
    /// The path of the runtime crate, from `$crate`.
    pub(crate) runtime: TokenStream,
    /// The folder, relative to the caller's `Cargo.toml`.
    pub(crate) folder: LitStr,
    /// The history file, relative to the caller's `Cargo.toml`.
    pub(crate) history: Option<LitStr>,
    /// The options from the other arguments.
    pub(crate) options: SetOptions,
}

/// The names of all arguments after the folder.
const ARGUMENTS: &str =
    "`module`, `layout`, `dialect`, `down`, `duplicates`, `empty`, `syntax`, `lints` and `history`";

impl Parse for Input {
    /// `$crate; "folder" [, name = value]*`
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut runtime = TokenStream::new();
        while !input.peek(Token![;]) && !input.is_empty() {
            runtime.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        let expected = "expected the migration folder as a string, such as \"migrations\"";
        let folder = match input.parse::<LitStr>() {
            Ok(folder) if !folder.value().is_empty() => folder,
            Ok(folder) => return Err(syn::Error::new(folder.span(), expected)),
            Err(error) => return Err(syn::Error::new(error.span(), expected)),
        };
        let (history, options) = (None, SetOptions::default());
        let mut parsed = Input { runtime, folder, history, options };
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse().map_err(|error: syn::Error| {
                let message =
                    format!("expected the name of an argument; the arguments are {ARGUMENTS}");
                syn::Error::new(error.span(), message)
            })?;
            if seen.contains(&name.to_string()) {
                let message = format!("argument `{name}` is given twice");
                return Err(syn::Error::new(name.span(), message));
            }
            seen.push(name.to_string());
            argument(input, &name, &mut parsed)?;
        }
        Ok(parsed)
    }
}

fn argument(input: ParseStream<'_>, name: &Ident, parsed: &mut Input) -> syn::Result<()> {
    let options = &mut parsed.options;
    input.parse::<Token![=]>()?;
    match name.to_string().as_str() {
        "module" => {
            let module = string(input, name)?;
            if module.value().is_empty() {
                return Err(syn::Error::new(module.span(), "a module's name cannot be empty"));
            }
            options.module = module.value();
        }
        "layout" => {
            let (word, span) = word(input)?;
            let layout = word.parse().map_err(|error| syn::Error::new(span, error))?;
            options.names.layout = Some(layout);
        }
        "dialect" => options.names.dialects = choice(input, name, DIALECTS)?,
        "down" => options.down = choice(input, name, DOWN)?,
        "duplicates" => options.duplicates = choice(input, name, DUPLICATES)?,
        "syntax" => options.syntax = choice(input, name, SYNTAX)?,
        "lints" => options.lints = choice(input, name, LINTS)?,
        "history" => parsed.history = Some(string(input, name)?),
        "empty" => options.empty = choice(input, name, EMPTY)?,
        other => {
            let message = format!("unknown argument `{other}`; the arguments are {ARGUMENTS}");
            return Err(syn::Error::new(name.span(), message));
        }
    }
    Ok(())
}

const DIALECTS: &[(&str, Dialects)] = &[("postgres", Dialects::PostgresOnly)];
const DOWN: &[(&str, Down)] =
    &[("optional", Down::Optional), ("required", Down::Required), ("unchecked", Down::Unchecked)];
const DUPLICATES: &[(&str, Duplicates)] =
    &[("refuse", Duplicates::Refuse), ("by_name", Duplicates::ByName)];
const SYNTAX: &[(&str, Syntax)] = &[("check", Syntax::Check), ("off", Syntax::Off)];
const LINTS: &[(&str, Lints)] =
    &[("deny", Lints::Deny), ("warn", Lints::Warn), ("off", Lints::Off)];
const EMPTY: &[(&str, Empty)] = &[("refuse", Empty::Refuse), ("allow", Empty::Allow)];

/// One of the `known` values of the argument `name`.
fn choice<T: Copy>(input: ParseStream<'_>, name: &Ident, known: &[(&str, T)]) -> syn::Result<T> {
    let words: Vec<String> = known.iter().map(|(known, _)| format!("`{known}`")).collect();
    let takes = format!("takes {}", words.join(" or "));
    let (word, span) =
        word(input).map_err(|error| syn::Error::new(error.span(), format!("`{name}` {takes}")))?;
    if let Some((_, value)) = known.iter().find(|(known, _)| *known == word) {
        return Ok(*value);
    }
    let message = format!("unknown value `{word}` for `{name}`, which {takes}");
    Err(syn::Error::new(span, message))
}

/// A value that must be a string.
fn string(input: ParseStream<'_>, name: &Ident) -> syn::Result<LitStr> {
    let message = format!("`{name}` takes a string, such as `{name} = \"...\"`");
    input.parse().map_err(|error: syn::Error| syn::Error::new(error.span(), message))
}

/// A value that is a bare word or a string.
fn word(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok((literal.value(), literal.span()));
    }
    let ident: Ident = input.parse().map_err(|error: syn::Error| {
        syn::Error::new(error.span(), "expected a word such as `numeric`")
    })?;
    Ok((ident.to_string(), ident.span()))
}
