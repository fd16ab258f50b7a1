//! All SQL of the library, as functions of plain values. Every name is quoted, every value is a literal,
//! and every function, operator and type has its schema, because others can change the `search_path`.

mod literal;
mod operator;
mod ledger;
mod entry;
mod replaced;
mod contents;
mod adopted;
mod history;
mod lease;
mod trust;
mod look;
mod boot;
mod tenants;
mod catalog;
mod blockers;
mod constraints;
mod citus;
mod guard;
mod plain;
mod room;
pub(crate) mod invalid_index;
pub(crate) mod same_index;
mod schema;
mod rows;
pub(crate) mod session;

pub(crate) use adopted::Taken;
pub(crate) use blockers::{Wanted, blocker, blockers, session};
pub(crate) use catalog::{
    Seen, UseOfLedger, columns, denied_among, end_holder, first_table, full_name, holder_of_lock,
    is_held,
};
pub(crate) use citus::{Citus, NODE as CITUS_NODE, SEQUENTIAL};
pub(crate) use constraints::{CHECK_CONSTRAINTS, defer_constraints};
pub(crate) use contents::{Contents, Reading, Transaction, entry};
pub(crate) use entry::{Extent, New, Place, Progress, TICK, clock};
pub(crate) use guard::{
    Commit, LOGGERS, Purpose, Terms, Waits, logs_each, same_encoding, same_transaction,
};
pub(crate) use history::history_row;
pub(crate) use invalid_index::InvalidIndex;
pub(crate) use lease::Lease;
pub(crate) use ledger::{Ledger, create_schema};
pub use literal::literal;
pub(crate) use literal::{column, text, utc};
pub(crate) use look::Unread;
pub(crate) use room::Since;
pub(crate) use rows::{owners, refreshes, rows_of, sequence, sequences, tables, written};
pub(crate) use schema::{schema, schema_row};
pub(crate) use session::Session;
pub(crate) use trust::{ENCODING_NAME, check_table, checked, is_too_long, what_is_wrong};
