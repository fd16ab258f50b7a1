//! Migrate a PostgreSQL database at boot, from a folder of SQL that the build has checked and
//! baked into the binary.
//!
//! ```no_run
//! use migrate_runtime::{Migrations, Migrator, embed_migrations};
//!
//! static MIGRATIONS: Migrations = embed_migrations!("migrations");
//!
//! # async fn boot(mut client: tokio_postgres::Client) -> Result<(), migrate_runtime::Error> {
//! let report = Migrator::new(&MIGRATIONS).run(&mut client).await?; // tokio_postgres::Client
//! # println!("{report}");
//! # Ok(())
//! # }
//! ```
//!
//! That is the whole of it. The build refuses a set with a mistake in it, with file, line and
//! column ([`embed_migrations!`]). The run sends one message when nothing is pending, and applies
//! each migration exactly once however many replicas boot at the same time ([`Migrator::run`]). An
//! error points into the file and says what stays applied ([`Error`]).
//!
//! # Guides
//!
//! One page a task, in the folder `docs/guides` of the repository:
//!
//! | page | task | begins with |
//! |---|---|---|
//! | `boot.md` | migrate at boot, with limits | [`Migrator::run`] |
//! | `ci-check.md` | check migrations in CI and before a deployment | [`embed_migrations!`], [`Migrator::trial`] |
//! | `concurrently.md` | build an index without keeping anybody from writing | `-- migrate:no-transaction` |
//! | `rollback.md` | undo migrations, also by an older binary | [`Migrator::rollback`] |
//! | `tenants.md` | migrate a schema a tenant, or several sets | [`tenants::Tenants`], [`run_in_order`] |
//! | `adopting.md` | take over a database that was there before | [`Migrator::adopt`], [`Migrator::baseline`] |
//! | `testing.md` | test against the migrated database | [`testing::TestDatabase`] |
//! | `poolers.md` | run through a pooler | [`Lock`] |
//! | `hooks-and-functions.md` | run code of your own with a migration | [`Migrator::function`], [`Migrator::hook`] |
//! | `observability.md` | see what a run does | [`Migrator::on`], [`Report`] |
//!
//! `docs/errors.md` has every error with its cause and its remedy, `docs/comparison.md` what other
//! libraries do in the same cases.
//!
//! # Features
//!
//! | feature | brings | Rust |
//! |---|---|---|
//! | none | all but what follows | 1.88 |
//! | `syntax` | the build checks every statement against PostgreSQL's grammar; on by default | 1.94 |
//! | `include_dir` | [`from_folder`], [`from_include_dir`] and [`from_texts`]: the same checked set, made at start-up; [`create`]: the next migration's files, for tools | 1.94 |
//! | `cli` | [`cli::Args`]: the verbs for a service's own command line, and the binary `migrate` | 1.94 |
//! | `testing` | [`testing::Server`]: a throwaway local PostgreSQL server (Unix) | 1.88 |
//! | | [`testing::TestDatabase`]: a migrated database for each test; [`testing::assert_reversible`] and other checks of a set | |
//!
//! None changes what is stored. `docs/stability.md` has how the versions of Rust are tried, and what a
//! release may change.
#![cfg_attr(
    not(all(feature = "cli", feature = "include_dir", feature = "testing", unix)),
    allow(rustdoc::broken_intra_doc_links, reason = "the tables above name optional items")
)]

// In reading order.
mod migrator;
pub mod tenants;
mod compose;
mod stale;
mod rollback;
mod amend;
mod adopt;
mod reading;
mod deed;
mod execute;
mod waiting;
mod account;
mod spans;
mod dialogue;
mod hook;
mod event;
mod transactional;
mod nontransactional;
mod leftover;
mod locking;
mod pooled;
mod session;
mod strings;
mod ledger;
mod boxed;
mod protocol;
mod failure;
mod privilege;
mod error;
mod report;
mod history;
#[cfg(feature = "include_dir")]
mod load;
#[cfg(feature = "include_dir")]
mod create;
#[cfg(all(feature = "testing", unix))]
pub mod testing;
#[cfg(feature = "cli")]
pub mod cli;
#[doc(hidden)]
pub mod __private;

#[cfg(feature = "include_dir")]
pub use create::{CreateError, CreateOptions, Created, create};
#[cfg(feature = "include_dir")]
pub use load::{from_folder, from_include_dir, from_texts};
pub use migrate_set::checksum::Checksum;
pub use migrate_set::drift::{Drift, DriftReport};
pub use migrate_set::ledger::Entry;
pub use migrate_set::location::Position;
#[cfg(feature = "include_dir")]
pub use migrate_set::name::{Dialects, NameOptions};
pub use migrate_set::name::{Kind, Layout};
pub use migrate_set::plan::{Cause, Plan, Step};
pub use migrate_set::rollback::{Obstacle, Obstacles, Target as Rollback, Undo};
pub use migrate_set::set::{Ends, Migration, Migrations, Script};
#[cfg(feature = "include_dir")]
pub use migrate_set::source::{
    Down, Duplicates, Empty, Lints, Problem, SetOptions, SourceError, SourceErrors, Syntax,
};
pub use migrate_set::sql::directive::TransactionMode;
pub use migrate_set::version::Version;

pub use crate::adopt::{Adopt, AdoptObstacle, AdoptObstacles, Adoption};
pub use crate::compose::{InOrderError, run_in_order};
pub use crate::error::{Direction, Error, Kept, MigrationFailure, Place};
pub use crate::event::Event;
pub use crate::history::{Act, HistoryRow, Survey};
pub use crate::hook::{BoxError, Called, Closure, Context, Function, Subject, When, closure};
pub use crate::migrator::{Lock, Migrator};
pub use crate::report::{
    Amended, Applied, Holder, LockKind, Report, SkipReason, Skipped, State, Status, StatusRow,
    Trial,
};
pub use crate::stale::{StaleEmbed, check_embed};

/// Embeds a folder of migrations: a constant expression of type [`Migrations`].
///
/// The path is relative to the `Cargo.toml` of the crate that is being compiled. The expansion is
/// constant, so the set can be a `static` or a `const`, and nothing is parsed at start-up.
///
/// ```
/// use migrate_runtime::{Migrations, embed_migrations};
///
/// static MIGRATIONS: Migrations = embed_migrations!("migrations", module = "accounts");
///
/// let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name()).collect();
/// assert_eq!(names, ["create_users", "index_users"]);
/// assert_eq!(MIGRATIONS.module(), "accounts");
/// ```
///
/// # Arguments behind the folder
///
/// | argument | meaning | otherwise |
/// |---|---|---|
/// | `module = "name"` | keeps this set apart from others in one ledger | `"default"` |
/// | `layout = numeric` | how the files are named: `numeric`, `timestamp`, `flyway`, `folders`, `prisma` or `any` | inferred |
/// | `dialect = postgres` | takes `x.postgres.sql` and leaves other databases' files | such files are an error |
/// | `down = required` | every versioned migration has a down script; `unchecked` keeps broken ones | `optional` |
/// | `duplicates = by_name` | equal versions are migrations of their own, ordered by name | `refuse` |
/// | `syntax = off` | statements are not checked against PostgreSQL's grammar | `check` |
/// | `lints = deny` | what locks a table for long, or breaks the version that still runs, is an error; `warn` makes it a warning | `off` |
/// | `lock = "migrations.lock"` | a file that holds the history; an edited, renamed, removed or wrongly ordered migration fails the build; `MIGRATE_UPDATE_LOCK=1 cargo build` writes it | no lock |
/// | `empty = allow` | an up script may hold no statement | `refuse` |
///
/// # Errors
///
/// Every mistake of the set is a compiler error of its own, all of them in one build:
///
/// ```text
/// error: migrations/0003_add_orders.sql:4:23: this string is never closed
///          |
///        4 | INSERT INTO t VALUES ('abc);
///          |                       ^ opened here
///        help: close it with `'`; a quote inside a string is written twice
/// ```
///
/// # Rebuilds
///
/// An edit of an embedded file triggers a rebuild by itself. A file that was added does so with one
/// line in the `main` of the crate's `build.rs`:
///
/// ```
/// println!("cargo::rerun-if-changed=migrations");
/// ```
///
/// Without it, a debug build that runs beside its folder refuses to migrate and names the file
/// ([`check_embed`]).
#[macro_export]
macro_rules! embed_migrations {
    ($($arguments:tt)*) => {
        $crate::__private::embed_migrations!($crate; $($arguments)*)
    };
}
