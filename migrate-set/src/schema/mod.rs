//! The schema of a database as a text: written from what its catalogs have, read again as blocks, and compared
//! object by object.
//!
//! The text is SQL that makes the schema in an empty database. Each object is a block, which begins with a comment
//! that names it; the table's has a line for each column. A database without differences has the same text,
//! whatever the version of its server.

mod scope;
mod block;
mod server;
mod order;
mod compose;
mod compare;

pub use block::{SchemaBlock, SchemaForm, read, script, write};
pub use compare::{Part, Parts, SchemaDifference, compare, differences};
pub use compose::{CatalogRow, compose};
pub use scope::SchemaScope;
pub use server::as_restored;
