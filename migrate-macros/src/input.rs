//! Decides what the caller of the macro asks for.
//! The macro's tokens go in, the folder and the [`SetOptions`] come out; what is wrong is a
//! `syn::Error` on the argument itself.
//! It looks at no file on purpose.

use migrate_core::name::Dialects;
use migrate_core::source::SetOptions;
use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

/// The arguments of one macro call.
pub(crate) struct Input {
    /// The path of the runtime crate, as `$crate` gave it.
    pub(crate) runtime: TokenStream,
    /// The folder, relative to the caller's `Cargo.toml`.
    pub(crate) folder: LitStr,
    /// What the other arguments say.
    pub(crate) options: SetOptions,
}

/// The names of all arguments behind the folder.
const ARGUMENTS: &str = "`module`, `layout` and `dialect`";

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
            Ok(folder) => folder,
            Err(error) => return Err(syn::Error::new(error.span(), expected)),
        };
        let mut options = SetOptions::default();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            argument(input, &mut options)?;
        }
        Ok(Input { runtime, folder, options })
    }
}

fn argument(input: ParseStream<'_>, options: &mut SetOptions) -> syn::Result<()> {
    let name: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    match name.to_string().as_str() {
        "module" => {
            let module: LitStr = input.parse()?;
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
        "dialect" => {
            let (word, span) = word(input)?;
            if word != "postgres" {
                let message = format!("unknown dialect `{word}`; the only one is postgres");
                return Err(syn::Error::new(span, message));
            }
            options.names.dialects = Dialects::PostgresOnly;
        }
        other => {
            let message = format!("unknown argument `{other}`; the arguments are {ARGUMENTS}");
            return Err(syn::Error::new(name.span(), message));
        }
    }
    Ok(())
}

/// A value as a bare word or as a string.
fn word(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok((literal.value(), literal.span()));
    }
    let ident: Ident = input.parse()?;
    Ok((ident.to_string(), ident.span()))
}
