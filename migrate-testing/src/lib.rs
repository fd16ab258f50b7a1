//! For the tests of a service: a migrated database of their own, checks of the migrations themselves,
//! and the throwaway PostgreSQL server beneath. A dev-dependency beside `migrate-runtime`.
//!
//! [`TestDatabase::new`] gives a test a database in which a set is applied, in the time that a copy takes.
//!
//! [`Server::from_env`] takes the server named by `DATABASE_URL`, or else starts one in a folder of
//! its own and removes it again, however the process ends. It downloads nothing and opens no TCP port.
//! [`Server::shared`] is one for all processes.
//!
//! `DATABASE_URL` means a server to create databases on: the database that it names is only connected
//! to, and nothing is written to it. Databases of tests are the only ones that are created and dropped.
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

mod check;
mod catalog;
mod database;
mod ahead;
mod template;
mod leftovers;
mod ground;
mod session;
mod trouble;
mod server;
mod shared;
mod owner;
mod binaries;
mod address;
mod error;

pub use catalog::Difference;
pub use check::{
    CheckError, assert_idempotent, assert_no_stale_embed, assert_reversible,
    assert_reversible_from, check_idempotent, check_reversible, check_reversible_from,
};
pub use database::TestDatabase;
pub use error::ServerError;
pub use server::Server;
pub use trouble::TestError;
