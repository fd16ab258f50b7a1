//! Reports a first message without an answer: mostly, no task drives the client's connection, and a verb would wait
//! for ever without a word.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io::Write as _;
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;
use tracing::level_filters::LevelFilter;
use tracing::warn;

use super::cut::first;
use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::outcome::Event;

/// How long the first message waits before that is reported. A server or a pooler that is slower still answers, so
/// the verb goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The result of `reading`, which sends its messages over the wire of `cx`.
pub(crate) fn watched<'f, T: Send + 'f>(
    cx: &'f Context<'_>,
    reading: impl Future<Output = T> + Send + 'f,
) -> Boxed<'f, T> {
    boxed(async move {
        match first(pin!(reading), report(cx)).await {
            Ok(result) => result,
            Err(never) => match never {},
        }
    })
}

/// Reports once if the first message has no answer for long; never ends.
pub(super) async fn report(cx: &Context<'_>) -> Infallible {
    // Without a runtime there are no timers.
    if Handle::try_current().is_ok() {
        sleep(PATIENCE).await;
        if !cx.wire.is_answered() {
            cx.migrator.listeners.inform(&Event::Unanswered { waited: PATIENCE });
            warn!("{TEXT}");
            // The mistake is made by who writes the service, often before there is a log.
            if cfg!(debug_assertions) && LevelFilter::current() == LevelFilter::OFF {
                let _ = writeln!(std::io::stderr(), "warning: {TEXT}");
            }
        }
    }
    pending().await
}

const TEXT: &str = "the server has not answered the first message for 5 s; does a task drive the client's connection \
     (`tokio::spawn(connection)`)?";
