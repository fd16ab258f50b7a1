//! A caller with the names that the expansion uses.
#![deny(warnings)]
#![deny(clippy::pedantic)]
#![allow(dead_code, unused_macros, reason = "the names have to be there, not to be used")]
#![allow(non_camel_case_types, reason = "they shadow the primitive ones")]

mod core {}
mod std {}
mod alloc {}
mod migrate {}
mod migrate_set {}

struct Option;
struct Some;
struct None;
struct Migration;
struct Migrations;
struct Script;
struct Kind;
struct Layout;
struct Within;
struct str;
struct u8;
struct u32;

const MIGRATIONS: i64 = 0;
const fn migration() {}
const fn migrations() {}
const fn script() {}
const fn placeholder() {}

macro_rules! include_bytes {
    ($($any:tt)*) => {
        compile_error!("the caller's own macro was used")
    };
}

static SET: migrate_runtime::Migrations = migrate_runtime::embed_migrations!("migrations");

fn main() {
    assert_eq!(SET.len(), 2);
}
