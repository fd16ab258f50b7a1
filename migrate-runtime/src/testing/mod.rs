//! A throwaway local PostgreSQL server for tests and demonstrations, behind the feature `testing`.
//! [`Server::from_env`] takes the server named by `DATABASE_URL`, or else starts one in a folder of
//! its own and removes it again, however the process ends. It downloads nothing, opens no TCP port
//! and never touches a server that it did not start.
//!
//! ```no_run
//! use migrate_runtime::testing::Server;
//!
//! let server = Server::from_env()?;
//! println!("psql '{}'", server.url());
//! # Ok::<(), migrate_runtime::testing::ServerError>(())
//! ```

mod address;
mod binaries;
mod error;
mod owner;
mod server;

pub use error::ServerError;
pub use server::Server;
