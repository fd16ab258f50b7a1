//! What keeps two runs apart: an advisory lock inside each message, or a row of the ledger.
//! This is the only place that takes a lock for a run, gives it back, and finds out who holds it.

mod stop;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use tracing::warn;

pub(crate) use stop::Stop;

use crate::context::{Context, Table};
use crate::migrator::Lock;
use crate::outcome::{ErrorKind, Holder, LockKind, Report};
use crate::sql::{Lease, Purpose, holder, who_holds};
use crate::wire::{BEGIN, Message, OnDrop, Part};

/// How long a row's holder may stay silent between two messages.
const LEASE: Duration = Duration::from_secs(30);

/// What keeps other runs away from this one.
pub(crate) struct Held<'c> {
    kind: LockKind,
    /// Whether the server lets this role take advisory locks, as far as is known.
    advisory_works: bool,
    /// The row of the ledger, where this run holds that.
    claim: Option<Claim<'c>>,
    /// The same as it was read, this run's or another's.
    lease: Option<Lease>,
}

/// The lock that this run holds as a row of the ledger; given back when dropped.
struct Claim<'c> {
    token: String,
    release: OnDrop<'c>,
}

impl<'c> Held<'c> {
    pub(crate) fn new(option: Lock) -> Self {
        let kind = match option {
            Lock::Detect | Lock::Advisory => LockKind::Advisory,
            Lock::Row => LockKind::Row,
        };
        Held { kind, advisory_works: true, claim: None, lease: None }
    }

    pub(crate) fn kind(&self) -> LockKind {
        self.kind
    }

    /// What this run's row is known by, where it holds one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.claim.as_ref().map(|claim| claim.token.as_str())
    }

    /// The row of the ledger that is a lock was read.
    pub(crate) fn read(&mut self, lease: Option<Lease>) {
        self.lease = lease;
    }

    /// The row of the ledger, where another run holds it.
    fn foreign_lease(&self) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| Some(lease.token.as_str()) != self.token())
    }

    /// Sees to it that this run may apply something: takes the row that is a lock where that is
    /// what keeps runs apart, and takes it away from a holder that is gone. Returns whether the ledger
    /// exists then.
    pub(crate) async fn enter(
        &mut self,
        cx: &Context<'c>,
        report: &mut Report,
        table: Table,
    ) -> Result<Table, Stop> {
        if let Some(lease) = self.foreign_lease() {
            if !lease.expired {
                return Err(Stop::Busy);
            }
            let sql = cx.ledger.break_lease(&lease.token);
            let broken = cx.ask(&sql, "taking over the lock").await?;
            let Some(_) = broken else { return Err(Stop::Busy) };
            report.note(format!("took the lock over from {}, which is gone", lease.holder));
        }
        if self.kind == LockKind::Row && self.claim.is_none() {
            self.claim(cx, table).await?;
        }
        // The row is in a ledger that exists.
        Ok(if self.claim.is_some() { Table::Exists } else { table })
    }

    /// Takes the lock as a row of the ledger, which is created where it is missing.
    async fn claim(&mut self, cx: &Context<'c>, table: Table) -> Result<(), Stop> {
        let token = token();
        let process = cx.wire.process().await;
        let mut message = Message::new();
        message.push(Part::Control, BEGIN);
        if self.advisory_works {
            // Runs that hold the advisory lock are not waited for either.
            message.push(Part::Guard, &cx.terms(None).guard(Purpose::Ledger));
        }
        if table == Table::Missing {
            for sql in cx.creation() {
                message.push(Part::Create, &sql);
            }
        }
        message.push(Part::Claim, &cx.ledger.claim(&token, LEASE, process));
        message.push(Part::Commit { step: 0 }, "COMMIT");
        // Armed before it is sent: a run that is dropped meanwhile leaves no lock.
        let mut release = cx.wire.on_drop(vec![cx.ledger.release(&token)]);
        let mut claimed = false;
        let on = &mut |part, row: Option<_>| claimed |= part == Part::Claim && row.is_some();
        let outcome = cx.wire.send(&message, on).await;
        let stop = match outcome.failure {
            None if claimed => {
                self.claim = Some(Claim { token, release });
                return Ok(());
            }
            None => Stop::Busy,
            Some(failure) => cx.refused(failure, outcome.completed).await,
        };
        if !matches!(stop, Stop::Failed(_)) {
            release.disarm();
        }
        Err(stop)
    }

    /// Goes on with a lock that is a row of the ledger, where the server has no other.
    pub(crate) fn take_row_instead(
        &mut self,
        cx: &Context<'_>,
        report: &mut Report,
    ) -> Result<(), ErrorKind> {
        self.advisory_works = false;
        if cx.migrator.lock == Lock::Advisory {
            return Err(ErrorKind::NoAdvisoryLock { ledger: cx.ledger.shown() });
        }
        if self.kind == LockKind::Advisory {
            warn!("this role can take no advisory lock, a row of the ledger is the lock instead");
            report.note("this role can take no advisory lock; a row of the ledger was the lock");
            self.kind = LockKind::Row;
        }
        Ok(())
    }

    /// Gives the lock back that is a row of the ledger.
    pub(crate) async fn leave(&mut self, cx: &Context<'_>) {
        let Some(mut claim) = self.claim.take() else { return };
        // A failure here has no one to be reported to: the lock falls to others when it expires.
        if cx.wire.last_row(&cx.ledger.release(&claim.token)).await.is_ok() {
            claim.release.disarm();
        }
    }

    /// Who holds the lock that this run waits for, as far as the server reports it.
    pub(crate) async fn holder(&self, cx: &Context<'_>) -> Option<Holder> {
        if let Some(lease) = self.foreign_lease() {
            return Some(lease.holder.clone());
        }
        let row = cx.wire.last_row(&who_holds(cx.ledger.lock_key())).await.ok().flatten()?;
        Some(holder(&row))
    }

    /// The error of a run that has waited for `holder` as long as it may.
    pub(crate) fn busy(
        &self,
        cx: &Context<'_>,
        waited: Duration,
        holder: Option<Holder>,
    ) -> ErrorKind {
        let look = if holder.is_some() {
            "see what it is doing"
        } else {
            "look for it in pg_locks (locktype advisory)"
        };
        let by_hand = |_| {
            format!("; if it is certainly gone, {} takes its lock away", cx.ledger.unlock_by_hand())
        };
        let row = self.foreign_lease().map(by_hand).unwrap_or_default();
        ErrorKind::Busy {
            ledger: cx.ledger.shown(),
            waited,
            holder: holder.map(Box::new),
            help: format!("{look}, or give a longer `wait_timeout`{row}"),
        }
    }
}

/// What no other run calls its lock.
fn token() -> String {
    let random = || RandomState::new().hash_one(LEASE);
    format!("{:016x}{:016x}", random(), random())
}
