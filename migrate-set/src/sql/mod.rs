//! What a script says, by its tokens: statements, their kinds, directives, sections and
//! placeholders. It is lexical on purpose; the grammar is PostgreSQL's own business.

pub mod lexer;
pub mod split;
pub mod kind;
pub mod alone;
pub mod directive;
#[cfg(feature = "source")]
pub mod section;
pub mod placeholder;
