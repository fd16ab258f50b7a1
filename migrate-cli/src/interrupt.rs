//! Ends a run at Ctrl-C or SIGTERM.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use migrate_runtime::internal::{Boxed, Interrupt, Way};
use tokio_postgres::Client;

/// The signals, and the way to the server of the run's client.
pub(crate) struct Signals {
    way: Way,
    was_requested: AtomicBool,
}

impl Signals {
    pub(crate) fn new(way: Way) -> Self {
        Signals { way, was_requested: AtomicBool::new(false) }
    }
}

impl Interrupt for Signals {
    /// Ends at Ctrl-C or SIGTERM; never, if no signal handler can be installed.
    fn requested(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            let (mut pressed, mut asked) = (pin!(tokio::signal::ctrl_c()), pin!(terminated()));
            let ended = poll_fn(|context| match pressed.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => asked.as_mut().poll(context).map(Ok),
            });
            if ended.await.is_err() {
                pending::<()>().await;
            }
            self.was_requested.store(true, Ordering::Relaxed);
        })
    }

    fn was_requested(&self) -> bool {
        self.was_requested.load(Ordering::Relaxed)
    }

    fn cancel(&self) -> Boxed<'_, ()> {
        self.way.cancel()
    }

    fn connect(&self) -> Boxed<'_, Option<Client>> {
        self.way.connect()
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => {
            asked.recv().await;
        }
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}
