//! Parses the arguments of the macro.

use migrate_source::check::{Choice, SetOptions};
use migrate_source::directives::edit_distance;
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
    /// The file of the schema that the set makes, relative to the same.
    pub(crate) schema: Option<LitStr>,
    /// The options from the other arguments.
    pub(crate) options: SetOptions,
}

/// The names of all arguments after the folder.
const ARGUMENTS: [&str; 13] = [
    "module", "layout", "dialect", "down", "duplicates", "empty", "syntax", "names", "begins",
    "lints", "links", "history", "schema",
];

/// [`ARGUMENTS`] in a message.
fn the_arguments() -> String {
    let [others @ .., last] = ARGUMENTS;
    format!("the arguments are `{}` and `{last}`", others.join("`, `"))
}

impl Parse for Input {
    /// `$crate; "folder" [, name = value]*`
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut runtime = TokenStream::new();
        while !input.peek(Token![;]) && !input.is_empty() {
            runtime.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        let expected = "expected the migration folder as a string, such as \"migrations\"\nhelp: write its path, \
             relative to the crate's Cargo.toml, here: the macro reads the folder before a constant has a value";
        let folder = match input.parse::<LitStr>() {
            Ok(folder) if !folder.value().is_empty() => folder,
            Ok(folder) => return Err(syn::Error::new(folder.span(), expected)),
            Err(error) => return Err(saying(expected)(error)),
        };
        let options = SetOptions::default();
        let mut parsed = Input { runtime, folder, history: None, schema: None, options };
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let expected = format!("expected the name of an argument\nhelp: {}", the_arguments());
            let name: Ident = input.parse().map_err(saying(&expected))?;
            if seen.contains(&name.to_string()) {
                let message =
                    format!("argument `{name}` is given twice\nhelp: remove one of the two");
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
    let message = format!("expected a value for `{name}`\nhelp: write `{name} = ` and the value");
    let value = |_| syn::Error::new(name.span(), &message);
    input.parse::<Token![=]>().map_err(value)?;
    match name.to_string().as_str() {
        "module" => options.module = string(input, name)?.value(),
        "layout" => options.names.layout = Some(choice(input, name)?),
        "dialect" => options.names.dialects = choice(input, name)?,
        "down" => options.down = choice(input, name)?,
        "duplicates" => options.duplicates = choice(input, name)?,
        "syntax" => options.syntax = choice(input, name)?,
        "names" => options.objects = choice(input, name)?,
        "begins" => options.begins = choice(input, name)?,
        "lints" => options.lints = choice(input, name)?,
        "links" => options.links = choice(input, name)?,
        "history" => parsed.history = Some(string(input, name)?),
        "schema" => parsed.schema = Some(string(input, name)?),
        "empty" => options.empty = choice(input, name)?,
        other => {
            return Err(syn::Error::new(name.span(), unknown(other)));
        }
    }
    Ok(())
}

/// The message about an argument that does not exist.
fn unknown(name: &str) -> String {
    // In two edits of a short word, most of it is another word.
    let most = if name.len() < 5 { 1 } else { 2 };
    let distance = |known: &&str| edit_distance(name, known);
    let nearest = ARGUMENTS.into_iter().min_by_key(distance).filter(|one| distance(one) <= most);
    let help = nearest.map_or_else(the_arguments, |one| format!("did you mean `{one}`?"));
    format!("unknown argument `{name}`\nhelp: {help}")
}

/// One of the values of the argument `name`.
fn choice<T: Choice>(input: ParseStream<'_>, name: &Ident) -> syn::Result<T> {
    let words: Vec<String> = T::WORDS.iter().map(|(known, _)| format!("`{known}`")).collect();
    let help = format!("help: `{name}` takes {}", words.join(" or "));
    let expected = format!("expected the value of `{name}` as a word\n{help}");
    let (word, span) = word(input).map_err(saying(&expected))?;
    let message = format!("unknown value `{word}` for `{name}`\n{help}");
    T::of(&word).ok_or_else(|| syn::Error::new(span, message))
}

/// A value that must be a string, and not empty.
fn string(input: ParseStream<'_>, name: &Ident) -> syn::Result<LitStr> {
    let message =
        format!("expected the value of `{name}` as a string\nhelp: write `{name} = \"...\"`");
    let string: LitStr = input.parse().map_err(saying(&message))?;
    let is_empty = string.value().is_empty();
    let message = format!("`{name}` cannot be empty\nhelp: give it a value, or omit it");
    if is_empty { Err(syn::Error::new(string.span(), message)) } else { Ok(string) }
}

/// The error of the parser with `message` instead of its own.
fn saying(message: &str) -> impl Fn(syn::Error) -> syn::Error {
    move |error| syn::Error::new(error.span(), message)
}

/// A value that is a bare word or a string.
fn word(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok((literal.value(), literal.span()));
    }
    let ident: Ident = input.parse()?;
    Ok((ident.to_string(), ident.span()))
}
