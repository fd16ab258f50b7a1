//! The progress of a run, for listeners, which cannot stop it; a hook can.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::hook::Subject;
use super::report::{Applied, Holder};

/// The progress of a run ([`Migrator::on`](crate::Migrator::on)).
///
/// ```
/// use migrate_runtime::Event;
///
/// fn line(event: &Event<'_>) -> Option<String> {
///     match event {
///         Event::Started(migration) => Some(format!("{} begins", migration.filename)),
///         Event::Waiting { holder: Some(holder), waited } => Some(format!("{waited:?}: {holder}")),
///         Event::Retrying { tries, error } => Some(format!("try {tries} failed: {error}")),
///         _ => None,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The number of migrations that will be run or undone; sent again if the ledger has changed.
    Planned {
        /// How many.
        migrations: usize,
    },
    /// A migration starts. On a fresh database several can share a transaction; then all of these are sent when that
    /// is committed, in order.
    Started(Subject<'e>),
    /// It is applied or undone, and committed. In a [`trial`](crate::Migrator::trial) it has run, and
    /// is undone with all the others.
    Finished(&'e Applied),
    /// Another replica holds the lock.
    Waiting {
        /// Who holds it; `None` in the first second, and if the server does not show it.
        holder: Option<&'e Holder>,
        /// How long the run has waited for other replicas so far.
        waited: Duration,
    },
    /// The server has not answered the first message yet, and the verb goes on. Mostly no task drives the client's
    /// connection: `tokio::spawn(connection)`.
    Unanswered {
        /// How long the verb has waited so far.
        waited: Duration,
    },
    /// A migration was undone because another session held a lock, and is tried again.
    Retrying {
        /// How often it was tried.
        tries: u32,
        /// The first line of the error.
        error: &'e str,
    },
}

type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// The listeners of a migrator.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Vec<Listener>);

impl Listeners {
    pub(crate) fn add(&mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        self.0.push(Arc::new(listener));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn inform(&self, event: &Event<'_>) {
        for listener in &self.0 {
            listener(event);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listeners({})", self.0.len())
    }
}
