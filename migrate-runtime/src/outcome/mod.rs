//! What a caller gets: errors, reports, events, and the arguments of its own code.

mod error;
#[cfg(feature = "connect")]
mod connect_error;
mod kind;
mod remedy;
mod failure;
mod obstacle;
mod text;
mod skipped;
mod report;
mod status;
mod history;
mod event;
mod hook;

#[cfg(feature = "connect")]
pub use connect_error::ConnectError;
pub use error::Error;
pub use event::Event;
pub(crate) use event::Listeners;
pub use failure::{Kept, MigrationFailure, Place};
pub use history::{Act, HistoryRow};
pub(crate) use hook::Calls;
pub use hook::{BoxError, Called, Closure, Function, RunClient, Subject, When, closure};
pub use kind::ErrorKind;
pub use obstacle::{AdoptObstacle, AdoptObstacles};
pub use report::{Amended, Applied, Holder, LockKind, Report, Trial};
pub use skipped::{SkipReason, Skipped, SkippedList};
pub use status::{State, Status, StatusRow};
#[cfg(feature = "connect")]
pub(crate) use text::lasting;
pub(crate) use text::{UNNAMED, chain, counted_versions, detail};
