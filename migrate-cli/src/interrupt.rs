//! Ends a run at Ctrl-C or SIGTERM.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use migrate_runtime::internal::{Boxed, Interrupt, Way};
use tokio_postgres::Client;

/// The signals, and the way to the server of the run's client.
pub(crate) struct Signals(pub(crate) Way);

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
        })
    }

    fn cancel(&self) -> Boxed<'_, ()> {
        self.0.cancel()
    }

    fn connect(&self) -> Boxed<'_, Option<Client>> {
        self.0.connect()
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
