//! Reads scripts token by token, without a grammar: statements, their kinds and placeholders.

pub mod quotes;
pub mod lexer;
pub mod split;
pub mod words;
pub mod kind;
pub mod alone;
pub mod sharing;
pub mod cluster;
pub mod probe;
pub mod placeholder;
