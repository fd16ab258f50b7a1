//! What a script says, by its tokens: statements, their kinds and placeholders. It is lexical; the
//! grammar is PostgreSQL's own business.

pub mod lexer;
pub mod split;
pub mod kind;
pub mod alone;
pub mod placeholder;
