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

pub use block::{SchemaBlock, read, script, write};
pub use compare::{SchemaDifference, compare};
pub use compose::{CatalogRow, compose};
pub use scope::SchemaScope;
pub use server::with_cast_elements;
