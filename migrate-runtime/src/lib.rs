//! Migrate a PostgreSQL database at boot, from a set of SQL files embedded in the binary.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod error;
mod execute;
mod failure;
mod ledger;
#[cfg(feature = "include_dir")]
mod load;
mod migrator;
mod nontransactional;
mod protocol;
mod report;
mod session;
#[cfg(all(feature = "testing", unix))]
pub mod testing;
mod transactional;

#[cfg(feature = "include_dir")]
pub use load::{from_folder, from_include_dir};
pub use migrate_core::drift::{Drift, DriftReport};
pub use migrate_core::ledger::Entry;
pub use migrate_core::location::Position;
pub use migrate_core::name::{Dialects, Kind, Layout, NameOptions};
pub use migrate_core::plan::{Cause, Plan, Step};
pub use migrate_core::set::{Migration, Migrations, Script};
pub use migrate_core::source::{Problem, SetOptions, SourceError, SourceErrors};
pub use migrate_core::sql::directive::TransactionMode;
pub use migrate_core::version::Version;

pub use crate::error::{Error, Kept, MigrationFailure, Place};
pub use crate::migrator::Migrator;
pub use crate::report::{Applied, Report, SkipReason, Skipped, State, Status, StatusRow};

/// Embeds a folder of migrations as a constant expression of type [`Migrations`].
#[macro_export]
macro_rules! embed_migrations {
    ($($arguments:tt)*) => {
        $crate::__private::embed_migrations!($crate; $($arguments)*)
    };
}
