//! How the command line ends a run early.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::Client;

use crate::boxed::Boxed;

/// Ends a run early, with a way to the server that the run's client does not have.
pub trait Interrupt: Send + Sync {
    /// Ends when the run has to end.
    fn requested(&self) -> Boxed<'_, ()>;

    /// Whether a run has been ended by that: no other begins.
    fn was_requested(&self) -> bool {
        false
    }

    /// Sends a request to cancel what the run's session does, and waits until the server, or the pooler in
    /// between, has read it.
    fn cancel(&self) -> Boxed<'_, ()>;

    /// A second connection; `None` if that fails.
    fn connect(&self) -> Boxed<'_, Option<Client>>;
}

/// The way to end runs, if there is one.
#[derive(Clone)]
pub(crate) struct Asked(pub(crate) Arc<dyn Interrupt>);

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked(..)")
    }
}
