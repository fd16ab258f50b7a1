//! What a run does before its next attempt: wait for another run, pause, switch to the other lock, or give
//! up.

use std::time::{Duration, Instant};

use migrate_set::text::escaped;
use tracing::{Instrument as _, debug, info};

use super::hold::Hold;
use super::spans;
use super::tally::Tally;
use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::lock::{Stop, random};
use crate::outcome::{Error, ErrorKind, Event, Holder};

/// The first and the longest wait for another replica; jitter changes them by up to a half.
const FIRST_WAIT: Duration = Duration::from_millis(15);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The part of the time that a replica has waited for which it then waits at once, so that it is up soon after the
/// last commit. To look costs the server 50 us.
///
/// Rejected: waits that double, after which the last of 32 replicas was up 600 ms after a run of 900 ms; and waits half
/// as long as these, after which it was up 56 ms after the first instead of 62, with twice the messages.
const PART: u32 = 24;

/// The same where the lock is a row, because to look is to read the ledger.
const PART_OF_A_READ: u32 = 1;

/// The same before a migration is tried again, so that the sessions that it blocked can proceed.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// How long a run waits for an older release to apply the rest of what a squash file replaces, while the lock is free:
/// between two of its messages it is.
const REST_AFTER: Duration = Duration::from_secs(1);

/// How often the same position is read in vain: other runs can change the ledger between a read and its guard, but
/// each leaves another position.
const DISAGREEMENTS: u32 = 5;

/// How long a run waits before it reports the holder of the lock.
const REPORT_AFTER: Duration = Duration::from_secs(1);

/// How long a run waits next, and why.
#[derive(Debug)]
pub(super) struct Backoff {
    /// The position of the ledger when another replica last turned this run away; `None` after this run has
    /// applied something.
    turned_away: Option<i64>,
    /// How long this run has waited for others.
    waited: Duration,
    /// How often a blocked migration was tried again.
    tries: u32,
    /// The position that the last attempt read, if it ended because the ledger had changed.
    moved: Option<i64>,
    /// How often in a row the guards have found another position than the one that was read again.
    disagreements: u32,
    /// The position at which only some of what a squash file replaces was applied, and since when the lock is free.
    partly: Option<(i64, Instant)>,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff {
            turned_away: None,
            waited: Duration::ZERO,
            tries: 0,
            moved: None,
            disagreements: 0,
            partly: None,
        }
    }

    /// A migration was applied or undone, so the lock was released, and nothing blocks the run any more.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// Whether the guards go on to find another position than this one, which was read, although reads are sent as
    /// guards are.
    fn reads_elsewhere(&mut self, position: i64) -> bool {
        self.disagreements = if self.moved == Some(position) { self.disagreements + 1 } else { 0 };
        self.disagreements >= DISAGREEMENTS
    }

    /// Whether another run can be applying the rest of what a squash file replaces.
    pub(super) fn rest_can_follow(&mut self, position: i64, wait_timeout: Duration) -> bool {
        let known = self.partly.filter(|(at, _)| *at == position);
        let (_, since) = *self.partly.insert(known.unwrap_or((position, Instant::now())));
        since.elapsed() < REST_AFTER.min(wait_timeout / 2)
    }

    pub(super) fn has_applied(&mut self) {
        self.turned_away = None;
    }

    /// Whether another replica has applied something since it turned this run away. Then this run does
    /// not send all pending migrations in vain.
    pub(super) fn others_are_applying(&self, now_at: i64, pending: usize) -> bool {
        self.turned_away.is_some_and(|position| now_at > position) && pending > 0
    }
}

/// Prepares the next attempt after `stop`, or gives up with its error.
pub(super) async fn prepare<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    stop: Stop,
) -> Result<(), Error> {
    tally.under_way.clear();
    tally.goes_on = false;
    let moved = matches!(stop, Stop::Moved).then_some(tally.position);
    if moved.is_some() {
        hold.lock.was_refused();
    }
    match stop {
        Stop::Moved if tally.backoff.moved.is_some() => {
            cx.wire.read_as_writes();
            if tally.backoff.reads_elsewhere(tally.position) {
                return Err(ErrorKind::ReadsElsewhere { ledger: cx.ledger.shown() }.into());
            }
            boxed(wait_for_others(cx, hold, tally)).await?;
        }
        Stop::Moved => debug!("the ledger has changed, reading it again"),
        Stop::Lost => {
            hold.lock.lost();
            debug!("the lock row was taken over, reading the ledger again");
        }
        Stop::Busy => {
            // The row of a run that has ended can be in a replica or a cache for long.
            if hold.lock.is_foreign() {
                cx.wire.read_as_writes();
            }
            tally.backoff.turned_away = Some(tally.position);
            boxed(wait_for_others(cx, hold, tally)).await?;
        }
        Stop::NoAdvisory => hold.lock.take_row_instead(cx, &mut tally.report)?,
        Stop::Escapes => boxed(hold.conform_strings(cx)).await?,
        Stop::Blocked(error) => boxed(wait_to_retry(cx, tally, error)).await?,
        Stop::Failed(error) => return Err(error),
    }
    tally.backoff.moved = moved;
    Ok(())
}

/// Sleeps while another replica holds the lock, or gives up. It looks by a query, because a refused message
/// would be a line in the server's log each time.
async fn wait_for_others<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
) -> Result<(), Error> {
    let part = if hold.lock.is_foreign() { PART_OF_A_READ } else { PART };
    loop {
        // Without the pauses before a migration is tried again.
        let waited = tally.backoff.waited;
        let left = cx.migrator.wait_timeout.saturating_sub(waited);
        if left.is_zero() {
            let holder = hold.lock.holder(cx).await;
            return Err(hold.lock.busy(cx, holder));
        }
        if waited >= REPORT_AFTER && tally.report.waited_for.is_none() {
            tally.report.waited_for = Some(reported_holder(cx, hold).await);
        }
        let holder = tally.report.waited_for.as_ref();
        cx.migrator.listeners.inform(&Event::Waiting { holder, waited });
        let wait = (waited / part).clamp(FIRST_WAIT, LONGEST_WAIT);
        let before = Instant::now();
        sleep(cx, wait, left).await?;
        let is_taken = hold.lock.is_taken(cx).await;
        let waited = before.elapsed();
        tally.backoff.waited += waited;
        tally.report.waited += waited;
        if !is_taken {
            return Ok(());
        }
        tally.backoff.partly = None;
    }
}

/// The holder of the lock, after it was reported.
async fn reported_holder<'r>(cx: &Context<'r>, hold: &Hold<'r>) -> Holder {
    let holder = hold.lock.holder(cx).await.unwrap_or_default();
    info!(
        holder.pid = holder.pid,
        holder.application_name = holder.application_name,
        holder.user = holder.user,
        holder.since = holder.since,
        "waiting for another replica"
    );
    holder
}

/// Sleeps before a blocked migration is tried again, or gives up with `error`.
async fn wait_to_retry(cx: &Context<'_>, tally: &mut Tally<'_>, error: Error) -> Result<(), Error> {
    let tries = tally.backoff.tries;
    if tries >= cx.migrator.retries {
        return Err(error.tried(tries + 1));
    }
    let pause = (FIRST_RETRY * 2_u32.saturating_pow(tries.min(16))).min(LONGEST_RETRY);
    tally.backoff.tries += 1;
    let first_line = error.kind().to_string();
    let first_line = escaped(first_line.lines().next().unwrap_or_default());
    let first_line: &str = &first_line;
    info!(try_ = tries + 1, error = first_line, "a migration was blocked, trying again");
    cx.migrator.listeners.inform(&Event::Retrying { tries: tries + 1, error: first_line });
    let before = Instant::now();
    let slept = sleep(cx, pause, Duration::MAX).await;
    tally.report.waited += before.elapsed();
    slept
}

/// Sleeps for about this long, or gives up at the run's deadline.
fn sleep<'f>(
    cx: &'f Context<'_>,
    about: Duration,
    at_most: Duration,
) -> Boxed<'f, Result<(), Error>> {
    boxed(pause(cx, about, at_most))
}

async fn pause(cx: &Context<'_>, about: Duration, at_most: Duration) -> Result<(), Error> {
    let factor = 0.5 + f64::from(u32::try_from(random() % 1024).unwrap_or(512)) / 1024.0;
    let mut pause = about.mul_f64(factor).min(at_most);
    if let Some(left) = cx.time_left() {
        if left.is_zero() {
            return Err(cx.deadline_error(None));
        }
        pause = pause.min(left);
    }
    tokio::time::sleep(pause).instrument(spans::wait()).await;
    Ok(())
}
