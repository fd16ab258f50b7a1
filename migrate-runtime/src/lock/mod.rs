//! The lock that keeps two runs apart: an advisory lock inside each message, or a row of the ledger.

mod room;
mod stop;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use migrate_set::remedy::{Remedy, Term};
use tracing::warn;

use room::room;
pub(crate) use stop::Stop;

use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::migrator::Lock;
use crate::outcome::{Error, ErrorKind, Holder, LockKind, Report};
use crate::sql::{
    Commit, LOGGERS, Lease, Purpose, Seen, Since, holder_of_lock, is_held, logs_each, session,
};
use crate::wire::{Message, OnDrop, Part};

/// How long a lock row is valid without being renewed.
const LEASE: Duration = Duration::from_secs(30);

/// How long a holder has to be gone: through a pooler it has no session between two statements, and the first may have
/// taken longer than its lease.
const GONE: Duration = Duration::from_secs(1);

/// The lock of a run.
pub(crate) struct Held<'c> {
    kind: LockKind,
    /// Whether this role can take advisory locks, as far as is known.
    advisory_works: bool,
    /// The lock row, if this run holds it.
    claim: Option<Claim<'c>>,
    /// The lock row as it was read, of this run or another.
    lease: Option<Lease>,
    /// The token of the holder that was gone at the last look, and since when.
    gone: Option<(String, Instant)>,
    /// Whether the server logs the whole message with each of its statements.
    is_logged: bool,
    room: Room,
    /// Whether no guard in plain SQL has refused.
    may_be_plain: bool,
    /// The message of another session that was seen to hold the advisory lock.
    seen: Option<Seen>,
}

/// How many statements migrations in one transaction can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// None, and it is not asked.
    Unasked,
    /// It is asked where the ledger is empty.
    Unknown,
    Statements(usize),
    /// None until the end of the run.
    Nothing,
}

/// The lock row that this run holds; released when dropped.
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
        Held {
            kind,
            advisory_works: true,
            claim: None,
            lease: None,
            gone: None,
            is_logged: false,
            room: Room::Unasked,
            may_be_plain: true,
            seen: None,
        }
    }

    pub(crate) fn kind(&self) -> LockKind {
        self.kind
    }

    /// The token of this run's lock row, if it holds one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.claim.as_ref().map(|claim| claim.token.as_str())
    }

    /// Whether the server logs the whole message with each of its statements, as far as is known.
    pub(crate) fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// Remembers the lock row that was read.
    pub(crate) fn read(&mut self, lease: Option<Lease>) {
        self.lease = lease;
    }

    /// Lets migrations share transactions, if the ledger that was read is empty and the database fresh.
    pub(crate) fn may_share(&mut self) {
        if self.room != Room::Nothing {
            self.room = Room::Unknown;
        }
    }

    /// How many statements migrations in one transaction can have; 0 if each has its own.
    pub(crate) fn room(&self) -> usize {
        match self.room {
            Room::Statements(count) => count,
            Room::Unasked | Room::Unknown | Room::Nothing => 0,
        }
    }

    /// Whether guards can be plain SQL, which shows no reason where it refuses.
    pub(crate) fn may_be_plain(&self) -> bool {
        self.may_be_plain
    }

    /// From now on guards show why they refuse, because one has.
    pub(crate) fn was_refused(&mut self) {
        self.may_be_plain = false;
    }

    /// From now on each migration has its own transaction.
    pub(crate) fn share_nothing(&mut self) {
        self.room = Room::Nothing;
    }

    /// What the database has to be for migrations to share, if that has to be asked.
    fn asks(&self, position: Option<i64>) -> Option<Since> {
        match self.room {
            Room::Unknown if position.is_none_or(|last| last == 0) => Some(Since::Always),
            Room::Statements(_) => Some(Since::ThisRun),
            Room::Unasked | Room::Unknown | Room::Nothing => None,
        }
    }

    /// Whether another run holds the lock row, as far as it was read.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign_lease().is_some()
    }

    /// The lock row, if another run holds it.
    fn foreign_lease(&self) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| Some(lease.token.as_str()) != self.token())
    }

    /// Makes sure that this run is allowed to change something: takes the lock row if that is its kind of
    /// lock, and takes over the row of a holder that is gone. Returns whether the ledger then exists.
    pub(crate) fn enter<'f>(
        &'f mut self,
        cx: &'f Context<'c>,
        report: &'f mut Report,
        (table, position): (Table, i64),
    ) -> Boxed<'f, Result<Table, Stop>> {
        boxed(async move {
            self.take_over(cx, report).await?;
            if self.kind == LockKind::Row && self.claim.is_none() {
                self.open(cx, (table, position), "true").await?;
                self.claim(cx, table).await?;
            }
            // The row is in a ledger that exists.
            Ok(if self.claim.is_some() { Table::Exists } else { table })
        })
    }

    /// Takes over the row of a holder that is gone.
    async fn take_over(&mut self, cx: &Context<'c>, report: &mut Report) -> Result<(), Stop> {
        let Some(lease) = self.foreign_lease().cloned() else { return Ok(()) };
        let gone = self.gone.take().filter(|(token, _)| *token == lease.token);
        if !lease.expired {
            return Err(Stop::Busy);
        }
        let since = gone.map_or_else(Instant::now, |(_, since)| since);
        let is_over = since.elapsed() >= GONE.min(cx.migrator.wait_timeout / 2);
        let ledger = &cx.ledger;
        let sql =
            if is_over { ledger.break_lease(&lease.token) } else { ledger.is_gone(&lease.token) };
        let Some(_) = cx.ask(&sql, "taking over the lock").await? else { return Err(Stop::Busy) };
        if !is_over {
            self.gone = Some((lease.token, since));
            return Err(Stop::Busy);
        }
        report.note(format!("took over the lock of {}, which is gone", lease.holder));
        self.lease = None;
        Ok(())
    }

    /// Begins the next message's transaction with the advisory lock, if the ledger is as it was read and
    /// `condition` holds. The server answers instead of raising, so a run that is turned away leaves no line
    /// in the server's log.
    pub(crate) fn open<'f>(
        &'f mut self,
        cx: &'f Context<'c>,
        (table, position): (Table, i64),
        condition: &'f str,
    ) -> Boxed<'f, Result<(), Stop>> {
        boxed(self.begin(cx, table, position, condition))
    }

    async fn begin(
        &mut self,
        cx: &Context<'c>,
        table: Table,
        position: i64,
        condition: &str,
    ) -> Result<(), Stop> {
        if self.claim.is_some() || !self.advisory_works || cx.wire.is_open() {
            return Ok(());
        }
        let position = (table == Table::Exists).then_some(position);
        let mut sql = vec![cx.ledger.try_lock(), cx.ledger.is_as_read(position, condition)];
        let asked = self.asks(position);
        sql.extend(asked.map(|since| cx.ledger.surroundings(since)));
        let rows = match cx.wire.open(&sql).await {
            Ok(rows) => rows,
            Err(failure) => return Err(cx.refused(failure, 0).await),
        };
        let text = |name: &str| rows.iter().find_map(|row| row.try_get(name).ok().flatten());
        let logs = |name| text(name).is_some_and(|setting| logs_each(name, setting));
        self.is_logged = LOGGERS.into_iter().any(logs);
        let is = |name| text(name) == Some("t");
        let stop = match () {
            () if !is("locked") => Stop::Busy,
            () if !is("is_as_read") => Stop::Moved,
            () => {
                if asked.is_some() {
                    self.room = rows.iter().find_map(room).map_or(Room::Nothing, Room::Statements);
                }
                return Ok(());
            }
        };
        cx.wire.close().await;
        Err(stop)
    }

    /// Takes the lock row, and creates the ledger if it is missing.
    async fn claim(&mut self, cx: &Context<'c>, table: Table) -> Result<(), Stop> {
        let token = token();
        let process = cx.wire.process().await;
        let mut message = Message::new();
        cx.wire.begin(&mut message);
        if self.advisory_works {
            // A run that holds the advisory lock excludes this one too.
            let purpose = Purpose::Ledger { commit: Commit::Asynchronous };
            message.push(Part::Guard, &cx.terms(None).guard(purpose));
        }
        if table == Table::Missing {
            for sql in cx.creation() {
                message.push(Part::Create, &sql);
            }
        }
        message.push(Part::Claim, &cx.ledger.claim(&token, LEASE, process));
        message.push(Part::Commit { step: 0 }, "COMMIT");
        // Armed before the message is sent: a run that is dropped in between leaves no lock.
        let mut release = cx.wire.on_drop(vec![cx.ledger.release(&token)]);
        let mut claimed = false;
        let on = &mut |part, row: Option<_>| claimed |= part == Part::Claim && row.is_some();
        let outcome = cx.wire.send(message, on).await;
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

    /// Switches to the lock row, because the role cannot take advisory locks.
    pub(crate) fn take_row_instead(
        &mut self,
        cx: &Context<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        self.advisory_works = false;
        if cx.migrator.lock == Lock::Advisory {
            return Err(ErrorKind::NoAdvisoryLock { ledger: cx.ledger.shown() }.into());
        }
        if self.kind == LockKind::Advisory {
            warn!("this role cannot take advisory locks; locking with a row of the ledger");
            report.note(
                "this role cannot take advisory locks; the run locked with a row of the ledger",
            );
            self.kind = LockKind::Row;
            report.lock = LockKind::Row;
        }
        Ok(())
    }

    /// From now on this run does not hold the lock row, which was taken over.
    pub(crate) fn lost(&mut self) {
        if let Some(mut claim) = self.claim.take() {
            claim.release.disarm();
        }
    }

    /// Releases the lock row.
    pub(crate) async fn release(&mut self, cx: &Context<'_>) {
        let Some(mut claim) = self.claim.take() else { return };
        // A failure is not reported: others can take the lock over when it expires.
        if cx.wire.last_row(&cx.ledger.release(&claim.token)).await.is_ok() {
            claim.release.disarm();
        }
    }

    /// Whether another session holds the advisory lock. A lock row is read with the ledger.
    pub(crate) async fn is_taken(&mut self, cx: &Context<'_>) -> bool {
        if self.is_foreign() {
            return false;
        }
        if let Some(seen) = &self.seen
            && cx.wire.look(&seen.still_runs()).await.is_some()
        {
            return true;
        }
        let row = cx.wire.look(&is_held(cx.ledger.lock_key())).await;
        self.seen = row.as_ref().and_then(Seen::of);
        row.is_some()
    }

    /// Who holds the lock that this run waits for, as far as the server reports it.
    pub(crate) async fn holder(&self, cx: &Context<'_>) -> Option<Holder> {
        let Some(lease) = self.foreign_lease() else {
            let sql = holder_of_lock(cx.ledger.lock_key());
            return cx.wire.look(&sql).await.map(|row| cx.holder(&row));
        };
        let holder = lease.holder.clone();
        let row = cx.wire.look(&session(holder.pid)).await;
        // The process of a pooler can have another client by now.
        let is_its = |now: &Holder| now.application_name == holder.application_name;
        Some(match row.map(|row| cx.holder(&row)).filter(is_its) {
            Some(Holder { transaction_age, statement, .. }) => {
                Holder { transaction_age, statement, ..holder }
            }
            None => holder,
        })
    }

    /// The error of a run that has waited for `holder` for all of its `wait_timeout`.
    pub(crate) fn busy(&self, cx: &Context<'_>, holder: Option<Holder>) -> Error {
        let look = if holder.is_some() {
            "see what it is doing"
        } else {
            "look for it in pg_locks (locktype advisory)"
        };
        let by_hand =
            |_| format!("; if it is certainly gone, {} removes its lock", cx.ledger.force_unlock());
        let row = self.foreign_lease().map(by_hand).unwrap_or_default();
        ErrorKind::Busy {
            ledger: cx.ledger.shown(),
            waited: cx.migrator.wait_timeout,
            holder: holder.map(Box::new),
            help: Remedy::new(format!("{look}, or set a longer {{}}{row}"), &[Term::WaitTimeout]),
        }
        .into()
    }
}

/// A token that no other run has.
fn token() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// A hasher with random keys is random enough for tokens and jitter.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(LEASE)
}
