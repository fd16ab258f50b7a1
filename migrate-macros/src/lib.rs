//! `embed_migrations!`: a folder of SQL, checked and embedded in the binary at build time.
//!
//! Use it through `migrate_runtime::embed_migrations`, which passes its own path, so that the
//! expansion finds the runtime even if the caller renamed it. Modules in reading order: parse the
//! arguments (`input`), find and check the set (`embed`), generate tokens (`expand`).

mod input;
mod embed;
mod expand;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// The macro behind `migrate_runtime::embed_migrations`.
#[doc(hidden)]
#[proc_macro]
pub fn embed_migrations(tokens: TokenStream) -> TokenStream {
    let input = parse_macro_input!(tokens as input::Input);
    match embed::embed(&input) {
        Ok(embedded) => expand::set(&input, &embedded).into(),
        Err(errors) => expand::errors(&input, &errors).into(),
    }
}
