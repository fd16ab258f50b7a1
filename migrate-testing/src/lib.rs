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

// The only error on another system: nothing else of this crate is compiled there.
#[cfg(not(unix))]
compile_error!(
    "migrate-testing builds only on Unix, because it starts PostgreSQL servers on Unix sockets\n\
     help: in Cargo.toml, name it under `[target.'cfg(unix)'.dev-dependencies]`, with `#[cfg(unix)]` above the \
     tests that use it; to run these tests on Windows, use WSL"
);

#[cfg(unix)]
mod schema;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod catalog;
#[cfg(unix)]
mod database;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod error;

#[cfg(unix)]
pub use check::{
    CheckError, assert_idempotent, assert_no_stale_embed, assert_reversible,
    assert_reversible_from, check_idempotent, check_reversible, check_reversible_from,
};
#[cfg(unix)]
pub use database::TestDatabase;
#[cfg(unix)]
pub use error::{ServerError, TestError};
#[cfg(unix)]
pub use schema::{SchemaFileError, assert_schema, check_schema};
#[cfg(unix)]
pub use server::Server;
