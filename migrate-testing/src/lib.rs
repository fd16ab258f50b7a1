//! For the tests of a service: a migrated database for each test, checks of the migrations, and the
//! throwaway PostgreSQL server that they run on. A dev-dependency of a service that depends on
//! `migrate-runtime`.
//!
//! [`TestDatabase::new`] gives a test a database in which a set is applied, as fast as a copy.
//!
//! [`Server::from_env`] uses the server named by `DATABASE_URL`, or else starts one in its own folder
//! and removes it, however the process ends. It downloads nothing and opens no TCP port.
//! [`Server::shared`] is one for all processes.
//!
//! `DATABASE_URL` names a server to create databases on: this crate only connects to the database that
//! it names, and writes nothing to it. It creates and drops only the databases of tests.
//!
//! ```no_run
//! use migrate_testing::Server;
//!
//! let server = Server::from_env()?;
//! println!("psql '{}'", server.url());
//! # Ok::<(), migrate_testing::ServerError>(())
//! ```

#[cfg(not(unix))]
compile_error!("migrate-testing starts its server on Unix sockets, and builds on Unix only");

mod schema;
mod check;
mod catalog;
mod database;
mod server;
mod error;

pub use catalog::Difference;
pub use check::{
    CheckError, assert_idempotent, assert_no_stale_embed, assert_reversible,
    assert_reversible_from, check_idempotent, check_reversible, check_reversible_from,
};
pub use database::TestDatabase;
pub use error::{ServerError, TestError};
pub use schema::{SchemaFileError, assert_schema, check_schema};
pub use server::Server;
