//! Ends a run at Ctrl-C or SIGTERM: cancels the current statement on the server, and the run
//! reports what was applied. A run that does not end by that is abandoned, which leaves every migration
//! applied and recorded, or neither.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use migrate_runtime::Error;
use tokio_postgres::CancelToken;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::VerbError;

/// How often the cancel request is sent, because a run may be between two statements.
const TRIES: u32 = 10;

const PAUSE: Duration = Duration::from_millis(200);

/// How a run's statement is cancelled.
pub(crate) struct Cancel {
    pub(crate) token: CancelToken,
    pub(crate) connector: MakeRustlsConnect,
}

/// The result of `run`, unless it is interrupted and does not end. Without a way to cancel, signals
/// are not handled: a service with its own client does that itself.
pub(crate) async fn interruptible<T>(
    cancel: Option<Cancel>,
    run: impl Future<Output = Result<T, Error>>,
) -> Result<T, VerbError> {
    let Some(cancel) = cancel else { return Ok(run.await?) };
    let mut run = pin!(run);
    if let Some(result) = before(run.as_mut(), interrupted()).await {
        return Ok(result?);
    }
    for _ in 0..TRIES {
        // If the request cannot be sent, the run still has the pause to end.
        let _ = cancel.token.cancel_query(cancel.connector.clone()).await;
        if let Some(result) = before(run.as_mut(), tokio::time::sleep(PAUSE)).await {
            return Ok(result?);
        }
    }
    Err(VerbError::Interrupted)
}

/// The result of `run`; `None` if `end` comes first.
async fn before<T>(mut run: Pin<&mut impl Future<Output = T>>, end: impl Future) -> Option<T> {
    let mut end = pin!(end);
    std::future::poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => end.as_mut().poll(context).map(|_| None),
    })
    .await
}

/// Ends at Ctrl-C or SIGTERM; never, if no signal handler can be installed.
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
