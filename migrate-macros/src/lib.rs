//! `embed_migrations!`: a folder of SQL, checked and baked into the binary at build time.
//!
//! Use it through `migrate_runtime::embed_migrations`, which passes its own path along so that the
//! expansion finds the runtime under whatever name the caller knows it. Modules in reading order:
//! arguments come in (`input`), the set is found and checked (`embed`), tokens go out (`expand`).

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
