//! Ends a run at Ctrl-C or SIGTERM.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use migrate_runtime::internal::{Boxed, Interrupt, Way};
use tokio::sync::Notify;
use tokio_postgres::Client;

/// The signals, and the way to the server of the run's client.
pub(crate) struct Signals {
    way: Way,
    heard: Arc<Heard>,
}

impl Signals {
    pub(crate) fn new(way: Way) -> Self {
        Signals { way, heard: Arc::default() }
    }
}

impl Interrupt for Signals {
    fn requested(&self) -> Boxed<'_, ()> {
        Box::pin(Heard::request(&self.heard))
    }

    fn was_requested(&self) -> bool {
        self.heard.was_requested.load(Ordering::Relaxed)
    }

    fn cancel(&self) -> Boxed<'_, ()> {
        self.way.cancel()
    }

    fn connect(&self) -> Boxed<'_, Option<Client>> {
        self.way.connect()
    }
}

/// What a task that listens from the first run on has heard, between two runs too: before it, a signal ends the process.
#[derive(Default)]
struct Heard {
    begun: OnceLock<()>,
    was_requested: AtomicBool,
    request: Notify,
}

impl Heard {
    /// Ends at Ctrl-C or SIGTERM; never, if no signal handler can be installed.
    async fn request(heard: &Arc<Heard>) {
        heard.begun.get_or_init(|| {
            tokio::spawn(listen(Arc::clone(heard)));
        });
        heard.request.notified().await;
    }
}

async fn listen(heard: Arc<Heard>) {
    let (mut pressed, mut asked) = (pin!(tokio::signal::ctrl_c()), pin!(terminated()));
    let ended = poll_fn(|context| match pressed.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => asked.as_mut().poll(context).map(Ok),
    });
    if ended.await.is_ok() {
        heard.was_requested.store(true, Ordering::Relaxed);
        heard.request.notify_one();
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::process::{Command, id};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn signal_between_two_runs_ends_the_next() {
        let heard = Arc::default();
        let first_run = timeout(Duration::from_millis(50), Heard::request(&heard)).await;
        assert!(first_run.is_err(), "nobody asked");
        let sent = Command::new("kill").args(["-s", "TERM", &id().to_string()]).status();
        assert!(sent.expect("kill").success());
        Heard::request(&heard).await;
        assert!(heard.was_requested.load(Ordering::Relaxed));
    }
}
