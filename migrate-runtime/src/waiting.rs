//! Waits: for other replicas, and before a blocked migration is tried again; or gives up.
//! A run goes in; time passes, or the error of a limit comes out.
//! Nothing waits inside the server on purpose, and whom a run waits for is told once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use tracing::{Instrument as _, info};

use crate::error::{ErrorKind, MigrationFailure};
use crate::event::Event;
use crate::execute::Run;
use crate::spans;

/// The first wait for another replica, and the longest; jitter takes or adds up to a half.
pub(crate) const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The same before a migration is tried again: whoever waited behind it gets through meanwhile.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// How long a run waits before it says for whom.
const TELL_AFTER: Duration = Duration::from_secs(1);

impl Run<'_> {
    /// Sleeps a little while another replica is at work, or gives up.
    pub(crate) async fn wait_for_others(&mut self) -> Result<(), ErrorKind> {
        let left = self.migrator.wait_timeout.saturating_sub(self.report.waited);
        if left.is_zero() {
            let holder = self.holder().await.map(Box::new);
            let help = self.help_with_the_holder(holder.is_some());
            return Err(ErrorKind::Busy {
                ledger: self.ledger.shown(),
                waited: self.report.waited,
                holder,
                help,
            });
        }
        if self.report.waited >= TELL_AFTER && self.report.waited_for.is_none() {
            let holder = self.holder().await.unwrap_or_default();
            info!(
                holder.pid = holder.pid,
                holder.application_name = holder.application_name,
                holder.user = holder.user,
                holder.since = holder.since,
                "waiting for another replica"
            );
            self.report.waited_for = Some(holder);
        }
        let (holder, waited) = (self.report.waited_for.as_ref(), self.report.waited);
        self.migrator.listeners.tell(&Event::Waiting { holder, waited });
        self.sleep(self.wait, left).await?;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }

    /// Whether another replica has applied something since it turned this run away. Then this run does
    /// not try, which would be a message of all that is pending for nothing, and looks again when the
    /// other should be done with it, by the pace seen.
    pub(crate) fn others_are_at_work(&mut self, pending: usize) -> bool {
        let Some((position, since)) = self.turned_away else { return false };
        let applied = u32::try_from(self.last_position - position).unwrap_or(0);
        let Ok(pending) = u32::try_from(pending) else { return false };
        if applied == 0 || pending == 0 {
            return false;
        }
        let left = since.elapsed() / applied * pending;
        self.wait = left.clamp(FIRST_WAIT, LONGEST_WAIT);
        true
    }

    fn help_with_the_holder(&self, is_known: bool) -> String {
        let look = if is_known {
            "see what it is doing"
        } else {
            "look for it in pg_locks (locktype advisory)"
        };
        let row = match self.foreign_lease() {
            Some(_) => format!(
                "; if it is certainly gone, {} takes its lock away",
                self.ledger.unlock_by_hand()
            ),
            None => String::new(),
        };
        format!("{look}, or give a longer `wait_timeout`{row}")
    }

    /// Sleeps before a migration that was in others' way is tried again, or gives up with `error`.
    pub(crate) async fn wait_to_retry(&mut self, error: ErrorKind) -> Result<(), ErrorKind> {
        if self.tries >= self.migrator.retries {
            return Err(error.tried(self.tries + 1));
        }
        let pause = (FIRST_RETRY * 2_u32.saturating_pow(self.tries.min(16))).min(LONGEST_RETRY);
        self.tries += 1;
        let first_line = error.to_string();
        let first_line = first_line.lines().next().unwrap_or_default();
        info!(try_ = self.tries, error = first_line, "a migration was blocked, trying again");
        let retrying = Event::Retrying { tries: self.tries, error: first_line };
        self.migrator.listeners.tell(&retrying);
        self.sleep(pause, Duration::MAX).await
    }

    /// Sleeps for about so long, or gives up at the run's deadline.
    async fn sleep(&mut self, about: Duration, at_most: Duration) -> Result<(), ErrorKind> {
        // A hasher with random keys is all the randomness that jitter needs.
        let random = RandomState::new().hash_one(self.report.messages) % 1024;
        let factor = 0.5 + f64::from(u32::try_from(random).unwrap_or(512)) / 1024.0;
        let mut pause = about.mul_f64(factor).min(at_most);
        if let Some(left) = self.time_left() {
            if left.is_zero() {
                return Err(self.deadline_error(None));
            }
            pause = pause.min(left);
        }
        tokio::time::sleep(pause).instrument(spans::wait()).await;
        self.report.waited += pause;
        Ok(())
    }

    /// What is left of the run's time; `None` without a deadline.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.migrator.deadline.map(|deadline| deadline.saturating_sub(self.started.elapsed()))
    }

    /// The run's time is up; `at` says where, if it was at a migration.
    pub(crate) fn deadline_error(&self, at: Option<Box<MigrationFailure>>) -> ErrorKind {
        ErrorKind::Deadline { deadline: self.migrator.deadline.unwrap_or_default(), at }
    }
}
