//! placeholders. It is lexical on purpose; the grammar is PostgreSQL's own business.

pub mod directive;
pub mod kind;
pub mod lexer;
pub mod placeholder;
pub mod section;
pub mod split;
