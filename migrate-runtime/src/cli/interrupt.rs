//! Ends a run when somebody presses Ctrl-C or the system says to stop: the server is told to cut the
//! statement, and the run says what stays.
//! A run and a way to cancel go in, what came of the run comes out.
//! A run that does not end by that is left where it is, which leaves every migration applied and
//! recorded, or neither.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio_postgres::CancelToken;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::Fault;
use crate::outcome::Error;

/// How often the server is told, because a run may be between two statements.
const TRIES: u32 = 10;

const PAUSE: Duration = Duration::from_millis(200);

/// How a run's server is told to stop.
pub(super) struct Cancel {
    pub(super) token: CancelToken,
    pub(super) connector: MakeRustlsConnect,
}

/// What comes of `run`, unless it is interrupted and does not end. Without a way to cancel, nobody
/// listens for signals: a service with a client of its own does that itself.
pub(super) async fn interruptible<T>(
    cancel: Option<Cancel>,
    run: impl Future<Output = Result<T, Error>>,
) -> Result<T, Fault> {
    let Some(cancel) = cancel else { return Ok(run.await?) };
    let mut run = pin!(run);
    if let Some(result) = before(run.as_mut(), interrupted()).await {
        return Ok(result?);
    }
    for _ in 0..TRIES {
        // Where the server cannot be told, the pause is all there is.
        let _ = cancel.token.cancel_query(cancel.connector.clone()).await;
        if let Some(result) = before(run.as_mut(), tokio::time::sleep(PAUSE)).await {
            return Ok(result?);
        }
    }
    Err(Fault::Interrupted)
}

/// What comes of `run`; `None` where `end` comes first.
async fn before<T>(mut run: Pin<&mut impl Future<Output = T>>, end: impl Future) -> Option<T> {
    let mut end = pin!(end);
    std::future::poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => end.as_mut().poll(context).map(|_| None),
    })
    .await
}

/// Ends at Ctrl-C, or when the system asks the process to end; never where nobody can listen.
async fn interrupted() {
    let pressed = pin!(tokio::signal::ctrl_c());
    if let Some(Err(_)) = before(pressed, terminated()).await {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => {
            asked.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
