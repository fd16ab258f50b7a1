//! The functions and types of the server, of PostgreSQL 13 to 18.

use rustc_hash::FxHashSet;

use std::sync::OnceLock;

/// `SELECT DISTINCT proname FROM pg_proc` of a new database, and what only the grammar knows.
const FUNCTIONS: &str = include_str!("functions.txt");

/// The types of a new database and other spellings of them.
const TYPES: &str = include_str!("types.txt");

type Names = OnceLock<FxHashSet<&'static str>>;

/// Whether the server has a type of this name.
pub(super) fn is_type(name: &str) -> bool {
    static ALL: Names = Names::new();
    is_in(&ALL, TYPES, name)
}

/// Whether the server has a function of this name.
pub(super) fn is_function(name: &str) -> bool {
    static ALL: Names = Names::new();
    is_in(&ALL, FUNCTIONS, name)
}

fn is_in(names: &Names, all: &'static str, name: &str) -> bool {
    let names = names.get_or_init(|| all.split_whitespace().collect());
    name.starts_with("pg_") || names.contains(name)
}
