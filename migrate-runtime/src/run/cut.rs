//! Ends a run at its deadline, or when it is interrupted.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::hold::Hold;
use super::tally::Tally;
use super::unanswered;
use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::outcome::{Error, ErrorKind};
use crate::sql::end_holder;
use crate::wire;

/// How much later than the server this process ends the run at its deadline.
const GRACE: Duration = Duration::from_secs(1);

/// How often what runs is cancelled: a run may be between two statements, or catch the error.
const TRIES: u32 = 10;

const PAUSE: Duration = Duration::from_millis(200);

/// For one request to the server.
const LIMIT: Duration = Duration::from_secs(5);

/// Why a run has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Deadline,
    Interrupt,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Alone(Result<(), Error>),
    /// After it was cancelled.
    Cancelled(Result<(), Error>),
    /// It was dropped when no message was on its way.
    Between(Cut),
    /// It was dropped when the server had not answered a message.
    Unanswered(Cut),
}

/// The function [`short`], which only a run with a deadline or an interrupt needs.
#[derive(Debug)]
pub(super) struct EndEarly(
    #[expect(clippy::type_complexity, reason = "those of `short`")]
    pub(super)  for<'f> fn(&'f Context<'_>, Boxed<'f, Result<(), Error>>) -> Boxed<'f, Ended>,
);

pub(super) static END_EARLY: EndEarly = EndEarly(|cx, run| boxed(short(cx, run)));

/// Waits for the end of `run`. When it has to end, what it runs is cancelled, and its answer is waited for, because
/// only that shows the outcome.
async fn short(cx: &Context<'_>, run: Boxed<'_, Result<(), Error>>) -> Ended {
    let mut run = pin!(run);
    let cut = match first(run.as_mut(), has_to_end(cx)).await {
        Ok(result) => return Ended::Alone(result),
        Err(cut) => cut,
    };
    for _ in 0..TRIES {
        if let Some(result) = during(run.as_mut(), cancel(cx)).await {
            return Ended::Cancelled(result);
        }
        if let Ok(result) = first(run.as_mut(), sleep(PAUSE)).await {
            return Ended::Cancelled(result);
        }
        if !cx.wire.is_out() {
            return Ended::Between(cut);
        }
    }
    if let Ok(result) = first(run.as_mut(), end_session(cx)).await {
        return Ended::Cancelled(result);
    }
    cx.wire.abandon();
    Ended::Unanswered(cut)
}

impl Ended {
    /// The result of the run, which has released what it held unless the server does not answer.
    pub(super) async fn settle<'r>(
        self,
        cx: &Context<'r>,
        hold: &mut Hold<'r>,
        tally: &mut Tally<'r>,
    ) -> Result<(), Error> {
        match self {
            Ended::Alone(result) => result,
            Ended::Cancelled(result) => {
                if result.is_ok() {
                    tally.report.note(COMPLETE);
                }
                result
            }
            Ended::Between(cut) => {
                // The first error is the one to report. A hook can take long, too.
                let _ = timeout(LIMIT, boxed(hold.release(cx, tally, Ok(())))).await;
                Err(cut.error(cx, Vec::new()))
            }
            Ended::Unanswered(cut) => {
                Err(cut.error(cx, std::mem::take(&mut tally.under_way).into()))
            }
        }
    }
}

impl Cut {
    /// The error of a run that was dropped, with the versions whose outcome is unknown.
    fn error(self, cx: &Context<'_>, unknown: Vec<String>) -> Error {
        match self {
            Cut::Deadline => {
                let deadline = cx.migrator.deadline.unwrap_or_default();
                if cx.wire.is_answered() {
                    ErrorKind::Deadline { deadline, at: None, unknown }
                } else {
                    ErrorKind::Unanswered { deadline }
                }
            }
            Cut::Interrupt => ErrorKind::Interrupted { unknown },
        }
        .into()
    }
}

const COMPLETE: &str = "the run was complete when it was cancelled; if a commit waited for a synchronous standby, \
     that may not have it";

/// The result of `run`, or that of `other` if it ends first.
pub(super) async fn first<T, O>(
    mut run: Pin<&mut impl Future<Output = T>>,
    other: impl Future<Output = O>,
) -> Result<T, O> {
    let mut other = pin!(other);
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Ok(result)),
        Poll::Pending => other.as_mut().poll(context).map(Err),
    })
    .await
}

/// Waits for the end of `request`; the result of `run`, if it ended meanwhile. A request that is dropped is one whose
/// sender is gone.
async fn during<T>(
    mut run: Pin<&mut impl Future<Output = T>>,
    request: impl Future<Output = ()>,
) -> Option<T> {
    let (mut request, mut result) = (pin!(request), None);
    poll_fn(|context| {
        if result.is_none()
            && let Poll::Ready(ended) = run.as_mut().poll(context)
        {
            result = Some(ended);
        }
        request.as_mut().poll(context)
    })
    .await;
    result
}

/// Ends when the run has to.
async fn has_to_end(cx: &Context<'_>) -> Cut {
    let deadline = async {
        match cx.migrator.deadline {
            Some(deadline) => sleep(deadline.saturating_add(GRACE)).await,
            None => pending().await,
        }
    };
    let interrupt = async {
        match &cx.migrator.interrupt {
            Some(asked) => asked.0.requested().await,
            None => pending().await,
        }
    };
    let cut = async {
        match first(pin!(deadline), interrupt).await {
            Ok(()) => Cut::Deadline,
            Err(()) => Cut::Interrupt,
        }
    };
    let Ok(cut) = first(pin!(cut), unanswered::report(cx)).await;
    cut
}

/// Asks the server to cancel what it runs.
async fn cancel(cx: &Context<'_>) {
    let _ = match &cx.migrator.interrupt {
        Some(asked) => timeout(LIMIT, asked.0.cancel()).await,
        None => timeout(LIMIT, cx.wire.cancel()).await,
    };
}

/// Ends the session of a run that cannot be cancelled, over a second connection, and gives it the time to answer.
async fn end_session(cx: &Context<'_>) {
    let Some(asked) = &cx.migrator.interrupt else { return };
    let end = async {
        let process = cx.wire.process().await?;
        let client = asked.0.connect().await?;
        wire::query(&client, &end_holder(cx.ledger.lock_key(), process)).await.ok().flatten()
    };
    if let Ok(Some(_)) = timeout(LIMIT, end).await {
        sleep(LIMIT).await;
    }
}
