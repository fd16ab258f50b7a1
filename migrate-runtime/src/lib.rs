//! Migrates a PostgreSQL database at boot, from a folder of SQL that the build has checked and
//! embedded into the binary.
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
//! With the feature `connect` an address is enough, and the service needs no driver of its own:
//! [`Migrator::run_url`]. That is all. The *set* is the migrations that one macro call embeds; the build refuses a set with
//! mistakes, with file, line and column ([`embed_migrations!`]). The *ledger* is the table that records
//! what ran, with an *entry* for each migration. A run sends one message when nothing is pending, and
//! applies each migration exactly once, however many replicas boot at the same time
//! ([`Migrator::run`]). An error shows the place in the file, and what is kept ([`Error`]).
//!
//! # Guides
//!
//! One page per task, in the folder `docs/guides` of the repository:
//!
//! | page | task | begins with |
//! |---|---|---|
//! | `boot.md` | migrate at boot, with limits | [`Migrator::run_url`], [`Migrator::run`] |
//! | `ci-check.md` | check migrations in CI and before a deployment | [`embed_migrations!`], [`Migrator::trial`] |
//! | `expand-and-contract.md` | change the schema while older releases run | [`Migrator::oldest_peer`] |
//! | `concurrently.md` | build an index while others write | `-- migrate:no-transaction` |
//! | `rollback.md` | undo migrations, also by an older binary | [`Migrator::rollback`] |
//! | `tenants.md` | migrate one schema per tenant, or several sets | [`tenants::Tenants`], [`run_in_order`] |
//! | `adopting.md` | adopt a database that another tool has migrated | [`Migrator::adopt`], [`Migrator::baseline`] |
//! | `testing.md` | test against the migrated database | `migrate_testing::TestDatabase` |
//! | `schema.md` | keep the schema in a file, and find what was changed by hand | [`Migrator::verify_schema`] |
//! | `squash.md` | replace old migrations by one file | [`Migration::replaces`] |
//! | `poolers.md` | run through a pooler | [`Lock`] |
//! | `hooks-and-functions.md` | run code of your own with a migration | [`Migrator::function`], [`Migrator::hook`] |
//! | `operations.md` | deploy with containers, Kubernetes or systemd | [`Migrator::deadline`] |
//! | `observability.md` | see what a run does | [`Migrator::on`], [`Report`] |
//!
//! `docs/errors.md` lists every error with its cause and remedy, and `docs/comparison.md` what other
//! libraries do in the same cases.
//!
//! # Features
//!
//! | feature | brings | Rust |
//! |---|---|---|
//! | none | everything but the following | 1.88 |
//! | `syntax` | the build checks every statement against PostgreSQL's grammar, and the names in it against what the set made, and so does `source`; on by default | 1.94 |
//! | `source` | the module [`source`]: the same checked set, made at start-up from a folder or from texts; the next migration's files, for tools | 1.88 |
//! | `include_dir` | [`source::from_include_dir`] too | 1.88 |
//! | `connect` | [`connect`](connect()) and [`Migrator::run_url`]: from an address to a migrated database, with TLS by rustls; compiles C, for `ring` | 1.88 |
//!
//! No feature changes what is stored. `docs/stability.md` explains how the versions of Rust are tested,
//! and what a release may change.
//!
//! There are two more crates: `migrate-testing` is a dev-dependency with test databases and checks of a
//! set; `migrate-cli` has the command line, as part of your service's binary and as the program
//! `migrate`.
#![cfg_attr(
    not(all(feature = "include_dir", feature = "connect")),
    allow(rustdoc::broken_intra_doc_links, reason = "the table above names optional items")
)]

// In reading order, higher parts first: each imports only from those below it (ARCHITECTURE).
#[cfg(feature = "source")]
pub mod source;
#[doc(hidden)]
pub mod internal;
#[doc(hidden)]
pub mod __private;
#[cfg(feature = "connect")]
mod connect;
mod verbs;
mod fleet;
mod run;
pub mod adopt;
mod lock;
mod context;
mod sql;
mod wire;
mod migrator;
mod outcome;
mod stale;
mod boxed;

// What a service uses. Types that it meets in fewer places are in the modules below.
pub use migrate_set::drift::{Drift, DriftReport};
pub use migrate_set::plan::Plan;
pub use migrate_set::rollback::Rollback;
pub use migrate_set::set::{Migration, Migrations};
pub use migrate_set::version::Version;

#[cfg(feature = "connect")]
pub use crate::connect::{Connect, connect};
pub use crate::fleet::{run_in_order, tenants};
pub use crate::migrator::{Lock, Migrator};
pub use crate::outcome::{
    Applied, Error, ErrorKind, Event, MigrationFailure, Report, Status, Trial,
};
pub use crate::stale::check_embed;

/// What a set contains, and several sets.
pub mod set {
    pub use crate::fleet::Sets;
    pub use migrate_set::checksum::Checksum;
    pub use migrate_set::location::Position;
    pub use migrate_set::name::{Direction, Kind, Layout};
    pub use migrate_set::release::Release;
    pub use migrate_set::set::{Ends, Script, TransactionMode};
}

/// What a run or a rollback would do, and why a rollback cannot be done.
pub mod plan {
    pub use migrate_set::plan::{Cause, Step};
    pub use migrate_set::rollback::{Obstacle, Obstacles, Undo};
}

/// What the ledger records.
pub mod ledger {
    pub use crate::outcome::{Act, HistoryRow};
    pub use crate::run::Edited;
    pub use migrate_set::ledger::Entry;
}

/// Code of your own in a run: functions of migrations, and hooks.
pub mod hook {
    pub use crate::outcome::{
        BoxError, Called, Closure, Function, RunClient, Subject, When, closure,
    };
}

/// Details of a [`Report`].
pub mod report {
    pub use crate::outcome::{Amended, Holder, LockKind, SkipReason, Skipped, SkippedList};
}

/// Details of a [`Status`].
pub mod status {
    pub use crate::outcome::{State, StatusRow};
}

/// The schema of a database as a text, and how two of them differ.
pub mod schema {
    pub use migrate_set::schema::{SchemaDifference, SchemaScope};
}

/// Details of an [`Error`], and errors of single functions.
pub mod error {
    pub use crate::fleet::InOrderError;
    #[cfg(feature = "connect")]
    pub use crate::outcome::ConnectError;
    pub use crate::outcome::{Kept, Place};
    pub use crate::stale::StaleEmbed;
    pub use migrate_set::remedy::Remedy;
}

/// Embeds a folder of migrations: a constant expression of type [`Migrations`].
///
/// The path is relative to the `Cargo.toml` of the crate that is being compiled. The set can be a
/// `static` or a `const`, and nothing is parsed at start-up.
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
/// # Arguments after the folder
///
/// | argument | meaning | otherwise |
/// |---|---|---|
/// | `module = "name"` | the name of this set, if several share one ledger | `"default"` |
/// | `layout = numeric` | how the files are named: `numeric`, `timestamp`, `flyway`, `folders`, `prisma` or `any` | inferred |
/// | `dialect = postgres` | embeds `x.postgres.sql` and ignores the files of other databases | such files are an error |
/// | `down = required` | every versioned migration must have a down script; with `complete`, one that undoes all of it; `unchecked` allows broken ones | `optional` |
/// | `duplicates = by_name` | several migrations can have the same version, and are ordered by name | `refuse` |
/// | `syntax = off` | statements are not checked against PostgreSQL's grammar | `check` |
/// | `names = off` | names of tables, columns and other objects that nothing in the set made are left to the server; `warn` makes them warnings | `deny` |
/// | `begins = existing` | the database has objects before the first migration; with `nothing` it has none | inferred |
/// | `lints = deny` | a statement that locks a table for long, or breaks the running version of the service, is an error, unless its file names the release after which it can run (`-- migrate:phase contract after 2.3`) or a reason; `warn` makes it a warning | `off` |
/// | `links = follow` | links in the folder can lead out of it | `inside` |
/// | `history = "migrations.history"` | a file in which the migrations are frozen: if one is edited, renamed or removed, or a new one sorts before it, the build fails; `MIGRATE_UPDATE_HISTORY=1 cargo build` adds to it and replaces its newest line, `=rewrite` any line | no history file |
/// | `schema = "schema.sql"` | a file with the schema that the set makes, without a database, so that a review shows what a migration changes: if it is stale, the build fails and lists the objects that differ; `MIGRATE_UPDATE_HISTORY=1 cargo build` writes it, and so does `migrate schema --static --output schema.sql` | no schema file |
/// | `empty = allow` | an up script can be empty | `refuse` |
///
/// It reads plain files of up to 64 MiB each, never a named pipe, a socket or a device.
///
/// # Errors
///
/// All mistakes in a set are reported at once, each as a compiler error; of each file, the first 50:
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
/// An edit of an embedded file triggers a rebuild. An added file does too, with one line in the
/// `main` of the crate's `build.rs`:
///
/// ```
/// println!("cargo::rerun-if-changed=migrations");
/// ```
///
/// Without it, a debug build that finds its folder refuses to migrate, and its error names the file
/// ([`check_embed`]).
#[macro_export]
macro_rules! embed_migrations {
    ($($arguments:tt)*) => {
        $crate::__private::embed_migrations!($crate; $($arguments)*)
    };
}
