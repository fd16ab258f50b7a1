//! Decides what keeps two runs apart, and how a message finds out that it may not go on.
//! A run goes in; guards, and the SQL that tells who holds the lock, come out.
//! Nobody ever waits for a lock inside the server on purpose: a waiting session holds a snapshot,
//! and `CREATE INDEX CONCURRENTLY` waits for it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use migrate_set::set::Script;
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::DbError;

use crate::error::ErrorKind;
use crate::execute::{Attempt, Run, Table};
use crate::ledger::{Lease, NOTE_START, SINCE_MESSAGE, literal};
use crate::migrator::{DEFAULT_LOCK_TIMEOUT, Lock};
use crate::pooled;
use crate::protocol::{
    self, BUSY, DEADLINE, ENDED, ESCAPES, Failure, LOST, MOVED, Message, OnDrop,
};
use crate::report::{Holder, LockKind};
use crate::strings;
use crate::transactional::{self, Part};

/// How long a row's holder may stay silent between two messages.
const LEASE: Duration = Duration::from_secs(30);

/// The lock that this run holds as a row of the ledger; given back when dropped.
pub(crate) struct Claim<'c> {
    pub(crate) token: String,
    release: OnDrop<'c>,
}

/// What a transaction of ours is for, and so what its guard asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'s> {
    /// Creates the ledger, or takes the row that is a lock.
    Ledger,
    /// Changes the ledger alone, as long as its last position is this.
    Amend { position: i64 },
    /// Applies a script, as long as the ledger's last position is this.
    Apply { script: &'s Script, position: i64, commit: Commit },
}

/// When a transaction of ours is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    /// When its `COMMIT` is answered.
    Synchronous,
    /// With the next synchronous one. WAL is sequential: the run's last commit, a synchronous one,
    /// makes these durable, and a crash before it loses a suffix whose entries are lost with it.
    Asynchronous,
}

/// Takes the lock to the end of the transaction, or raises [`BUSY`]; raises [`MOVED`] unless the
/// ledger is what was read; notes the time, and sets how the transaction commits and waits.
///
/// A block of PL/pgSQL, because plain SQL cannot raise a code of ours. Measured on the server, 300 in a
/// message: 110 us each, of which 50 for the position, 40 for the settings and 10 for the lock. Tried
/// and rejected: two plain statements that divide by zero instead, 55 us; the position by `ORDER BY ..
/// LIMIT 1` instead of `max`, 100 us. A migration that creates a table takes 2 ms. All 200 of a set, on a
/// server in memory: 136 ms with blocks, 124 with plain statements, 111 where guard and entry are prepared
/// first, which a failure would leave in a pooled session; 73 without guard, entry and a transaction each.
pub(crate) fn guard(run: &Run<'_>, purpose: Purpose<'_>) -> String {
    let lock = match &run.claim {
        None => raise_unless(
            &format!("pg_catalog.pg_try_advisory_xact_lock({})", run.ledger.lock_key()),
            ("another replica is migrating", BUSY),
        ),
        Some(claim) => renewal(run, claim),
    };
    let moved = |position: i64| {
        let last = position_expression(run);
        raise_unless(&format!("{last} = {position}"), ("the ledger has moved", MOVED))
    };
    let (before, moved, commit) = match purpose {
        Purpose::Ledger => (String::new(), String::new(), Commit::Synchronous),
        Purpose::Amend { position } => (String::new(), moved(position), Commit::Synchronous),
        Purpose::Apply { script, position, commit } => {
            (strings_guard(run, script), moved(position), commit)
        }
    };
    let (time_left, settings) = (time_left(run), settings(run, commit));
    let tell = tell(run, purpose);
    block(&format!("{before}{lock}{moved}{time_left}PERFORM {NOTE_START}, {settings};{tell}"))
}

/// The server keeps its answers back until a message is done, but sends what it has with a notice
/// (`send_message_to_frontend`), so whoever listens learns of the migrations before this one now.
fn tell(run: &Run<'_>, purpose: Purpose<'_>) -> &'static str {
    match purpose {
        Purpose::Apply { .. } if run.is_watched() => " RAISE INFO 'the next migration begins';",
        _ => "",
    }
}

/// Raises [`ENDED`] where the guard was that of another transaction, whose note is gone.
pub(crate) fn same_transaction() -> String {
    let noted = "(COALESCE(pg_catalog.current_setting('migrate.started', true), '') <> '')";
    block(&raise_unless(noted, ("the transaction was ended", ENDED)))
}

/// Raises [`ESCAPES`] where the session reads a string of `script` otherwise than the build did.
fn strings_guard(run: &Run<'_>, script: &Script) -> String {
    if !strings::matter(script, run.migrator.schema.as_deref()) {
        return String::new();
    }
    let on = "(pg_catalog.current_setting('standard_conforming_strings') = 'on')";
    raise_unless(on, ("standard_conforming_strings is off", ESCAPES))
}

/// Takes the session's lock or raises [`BUSY`]; a run that holds the lock as a row renews that.
pub(crate) fn session_guard(run: &Run<'_>, script: &Script) -> String {
    let before = format!("{}{}", strings_guard(run, script), time_left(run));
    match &run.claim {
        None => {
            let lock = raise_unless(
                &format!("pg_catalog.pg_try_advisory_lock({})", run.ledger.lock_key()),
                ("another replica is migrating", BUSY),
            );
            // The lock comes last: what raises before it leaves none behind.
            block(&format!("{before}{lock}"))
        }
        Some(claim) => block(&format!("{before}{}", renewal(run, claim))),
    }
}

/// Raises [`MOVED`] unless `condition` holds and the last position is `position`.
pub(crate) fn condition_guard(run: &Run<'_>, position: i64, condition: &str) -> String {
    let last = position_expression(run);
    let both = format!("({last} = {position} AND {condition})");
    block(&raise_unless(&both, ("the ledger has moved", MOVED)))
}

/// Changes the ledger's entry by `update` as long as it is what this run wrote, else raises
/// [`LOST`].
pub(crate) fn note(run: &Run<'_>, update: &str) -> String {
    let renewal = run.claim.as_ref().map_or_else(String::new, |claim| renewal(run, claim));
    let lost = raise_unless("FOUND", ("the entry was changed by somebody else", LOST));
    block(&format!("{renewal}{update}; {lost}"))
}

/// Limits the statements of a transaction of ours.
pub(crate) fn limits_of_transaction(run: &Run<'_>) -> String {
    format!("SELECT {}", settings(run, Commit::Synchronous))
}

/// Limits the statements of the session, and returns what puts the old limits back; `None` where
/// there is nothing to limit. What keeps nobody waiting may wait as long as it likes.
pub(crate) fn limits_of_session(run: &Run<'_>, is_concurrent: bool) -> Option<String> {
    let lock = (!is_concurrent).then(|| ("lock_timeout", lock_timeout(run)));
    let statement = run.time_left().map(|left| ("statement_timeout", statement_timeout(left)));
    let limits: Vec<_> = lock.into_iter().chain(statement).collect();
    if limits.is_empty() {
        return None;
    }
    let set = |(name, value): &(&str, String)| format!("{SET_CONFIG}('{name}', {value}, false)");
    let sets: Vec<String> = limits.iter().map(set).collect();
    let put = |(name, _): &(&str, String)| {
        format!(
            "'{SET_CONFIG}(''{name}'', ' || pg_catalog.quote_literal(pg_catalog.current_setting('{name}')) || ', false)'"
        )
    };
    let puts: Vec<String> = limits.iter().map(put).collect();
    // Items of a list are worked out from left to right.
    let puts = puts.join(" || ', ' || ");
    Some(format!("SELECT 'SELECT ' || {puts} AS put_back, {}", sets.join(", ")))
}

const SET_CONFIG: &str = "pg_catalog.set_config";

/// Gives the session's lock back: `t` if it was held.
pub(crate) fn unlock(run: &Run<'_>) -> String {
    format!("SELECT pg_catalog.pg_advisory_unlock({}) AS unlocked", run.ledger.lock_key())
}

/// The position that a guard compares: for a run without the row, the row counts as a move.
fn position_expression(run: &Run<'_>) -> String {
    match run.claim {
        None => run.ledger.highest_position(),
        Some(_) => run.ledger.last_position(),
    }
}

fn renewal(run: &Run<'_>, claim: &Claim<'_>) -> String {
    let renew = run.ledger.renew(&claim.token);
    format!("{renew}; {}", raise_unless("FOUND", ("the lock was taken over", LOST)))
}

fn raise_unless(condition: &str, (message, sqlstate): (&str, &str)) -> String {
    format!(
        "IF NOT {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '{sqlstate}'; END IF; "
    )
}

fn block(body: &str) -> String {
    format!("DO {}", literal(&format!("BEGIN {body} END")))
}

/// Raises [`DEADLINE`] when the run's time is up, also in the middle of a message.
fn time_left(run: &Run<'_>) -> String {
    match run.time_left() {
        None => String::new(),
        Some(left) => raise_unless(
            &format!("{} > 0", millis_left(left)),
            ("the deadline of the run has passed", DEADLINE),
        ),
    }
}

/// Milliseconds that are left of what was left when the message arrived.
fn millis_left(left: Duration) -> String {
    format!("({} - {SINCE_MESSAGE})", left.as_millis())
}

/// The settings of a transaction of ours, as items of a list.
fn settings(run: &Run<'_>, commit: Commit) -> String {
    let lock = ("lock_timeout", lock_timeout(run));
    let statement = run.time_left().map(|left| ("statement_timeout", statement_timeout(left)));
    let commit =
        (commit == Commit::Asynchronous).then(|| ("synchronous_commit", "'off'".to_owned()));
    let settings = std::iter::once(lock).chain(statement).chain(commit);
    let set = |(name, value): (&str, String)| format!("{SET_CONFIG}('{name}', {value}, true)");
    settings.map(set).collect::<Vec<_>>().join(", ")
}

/// How long a statement waits for a lock. A session that has a limit of its own keeps it, unless the
/// caller named one.
fn lock_timeout(run: &Run<'_>) -> String {
    let millis = |limit: Duration| format!("'{}ms'", limit.as_millis());
    match run.migrator.lock_timeout {
        Some(named) => millis(named),
        None => format!(
            "CASE pg_catalog.current_setting('lock_timeout') WHEN '0' THEN {} \
             ELSE pg_catalog.current_setting('lock_timeout') END",
            millis(DEFAULT_LOCK_TIMEOUT)
        ),
    }
}

/// How long a statement may run: what is left, unless the session's own limit is shorter.
fn statement_timeout(left: Duration) -> String {
    let own = "(SELECT s.setting::pg_catalog.int8 FROM pg_catalog.pg_settings s \
               WHERE s.name = 'statement_timeout')";
    let left = format!("GREATEST({}, 1)", millis_left(left));
    format!("LEAST(COALESCE(NULLIF({own}, 0), {left}), {left})::pg_catalog.text")
}

impl Run<'_> {
    /// Sees to it that this run may apply something: takes the row that is a lock where that is
    /// what keeps runs apart, and takes it away from a holder that is gone.
    pub(crate) async fn enter(&mut self, table: Table) -> Result<Attempt, ErrorKind> {
        if let Some(lease) = self.foreign_lease() {
            if !lease.expired {
                return Ok(Attempt::Busy);
            }
            let sql = self.ledger.break_lease(&lease.token);
            let broken = self.ask(&sql, "taking over the lock").await?;
            let Some(_) = broken else { return Ok(Attempt::Busy) };
            self.note(format!("took the lock over from {}, which is gone", lease.holder));
        }
        if self.lock == LockKind::Row && self.claim.is_none() {
            return self.claim(table).await;
        }
        Ok(Attempt::Done)
    }

    /// The lock that is a row of the ledger, where somebody else holds it.
    pub(crate) fn foreign_lease(&self) -> Option<Lease> {
        let own = self.claim.as_ref().map(|claim| claim.token.as_str());
        self.lease.clone().filter(|lease| Some(lease.token.as_str()) != own)
    }

    /// Takes the lock as a row of the ledger, which is created where it is missing.
    async fn claim(&mut self, table: Table) -> Result<Attempt, ErrorKind> {
        let token = token();
        let process = pooled::process(self.client).await;
        let mut message = Message::new();
        message.push(Part::Control, transactional::BEGIN);
        if self.advisory_works {
            // Those who hold the advisory lock are not waited for either.
            message.push(Part::Guard, &guard(self, Purpose::Ledger));
        }
        if table == Table::Missing {
            for sql in transactional::creation(self) {
                message.push(Part::Create, &sql);
            }
        }
        message.push(Part::Claim, &self.ledger.claim(&token, LEASE, process));
        message.push(Part::Commit { step: 0 }, "COMMIT");
        // Armed before it is sent: whoever drops the run meanwhile leaves no lock behind.
        let mut release = OnDrop::new(self.client, vec![self.ledger.release(&token)]);
        let mut claimed = false;
        self.report.messages += 1;
        let outcome = protocol::send(self.client, &message, &mut |part, row| {
            claimed |= part == Part::Claim && row.is_some();
        })
        .await;
        let attempt = match outcome.failure {
            None if claimed => {
                self.claim = Some(Claim { token, release });
                return Ok(Attempt::Done);
            }
            None => Attempt::Busy,
            Some(failure) => self.refused(failure, outcome.completed).await?,
        };
        release.disarm();
        Ok(attempt)
    }

    /// What becomes of a message that stopped before any migration: a wait, or an error.
    async fn refused(
        &mut self,
        failure: Failure<Part>,
        completed: usize,
    ) -> Result<Attempt, ErrorKind> {
        self.end_transaction(&failure.error, completed).await;
        if let Some(attempt) = turned_away(&failure) {
            return Ok(attempt);
        }
        let doing = transactional::doing(self, failure.part, &[]);
        Err(self.database_error(doing, failure.error).await)
    }

    /// Ends the transaction that a message left open when the server refused part of it.
    pub(crate) async fn end_transaction(
        &mut self,
        error: &tokio_postgres::Error,
        completed: usize,
    ) {
        if completed > 0 && error.as_db_error().is_some() {
            self.report.messages += 1;
            // Should this fail too, the connection is broken and its transaction gone; the first
            // error is the one to tell.
            let _ = protocol::query(self.client, "ROLLBACK").await;
        }
    }

    /// Gives the lock back that is a row of the ledger.
    pub(crate) async fn leave(&mut self) {
        let Some(mut claim) = self.claim.take() else { return };
        let sql = self.ledger.release(&claim.token);
        self.report.messages += 1;
        // A failure here has nobody to tell: the lock falls to others when it expires.
        if protocol::query(self.client, &sql).await.is_ok() {
            claim.release.disarm();
        }
    }

    /// Who holds the lock that this run waits for, as far as the server tells.
    pub(crate) async fn holder(&mut self) -> Option<Holder> {
        if let Some(lease) = self.foreign_lease() {
            return Some(lease.holder);
        }
        self.report.messages += 1;
        let key = self.ledger.lock_key();
        let row = protocol::query(self.client, &who_holds(key)).await.ok().flatten()?;
        holder_of(&row)
    }
}

/// How a guard turned a message away, or a race to create the ledger; `None` for a real failure.
pub(crate) fn turned_away(failure: &Failure<Part>) -> Option<Attempt> {
    let db = failure.error.as_db_error()?;
    let code = db.code().code();
    match failure.part? {
        Part::Guard if code == BUSY => Some(Attempt::Busy),
        Part::Guard if code == MOVED || code == LOST => Some(Attempt::Moved),
        Part::Guard if code == ESCAPES => Some(Attempt::Escapes),
        Part::Guard if lacks_advisory_locks(db) => Some(Attempt::NoAdvisory),
        // duplicate_table, duplicate_object, unique_violation of the catalog: somebody else has
        // just created it.
        Part::Create if matches!(code, "42P07" | "42710" | "23505") => Some(Attempt::Moved),
        // The unique position is the last line of defence: who writes it second is undone.
        Part::Record { .. } if code == "23505" && is_position(db.constraint()) => {
            Some(Attempt::Moved)
        }
        _ => None,
    }
}

/// Whether a guard failed because there are no such functions, or none for this role.
fn lacks_advisory_locks(db: &DbError) -> bool {
    match db.code().code() {
        // undefined_function, feature_not_supported
        "42883" | "0A000" => true,
        // insufficient_privilege: of the function, not of the ledger.
        "42501" => db.message().contains("advisory"),
        _ => false,
    }
}

fn is_position(constraint: Option<&str>) -> bool {
    constraint.is_some_and(|name| name.ends_with("_position_key"))
}

/// Who holds the advisory lock `key` of this database.
fn who_holds(key: i64) -> String {
    let (high, low) = ((key >> 32) & 0xffff_ffff, key & 0xffff_ffff);
    format!(
        "SELECT a.pid, a.application_name, a.usename AS \"user\", pg_catalog.to_char(\
         COALESCE(a.xact_start, a.state_change, a.backend_start) AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS since \
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.classid = {high}::pg_catalog.oid AND l.objid = {low}::pg_catalog.oid \
         AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d \
         WHERE d.datname = pg_catalog.current_database())"
    )
}

fn holder_of(row: &SimpleQueryRow) -> Option<Holder> {
    let text = |column| row.try_get(column).ok().flatten().map(str::to_owned);
    Some(Holder {
        pid: text("pid")?.parse().ok()?,
        application_name: text("application_name").unwrap_or_default(),
        user: text("user").unwrap_or_default(),
        since: text("since"),
    })
}

/// What nobody else calls its lock.
fn token() -> String {
    let random = || RandomState::new().hash_one(LEASE);
    format!("{:016x}{:016x}", random(), random())
}

/// How a migrator's option becomes the lock of a run.
pub(crate) fn kind(option: Lock) -> LockKind {
    match option {
        Lock::Detect | Lock::Advisory => LockKind::Advisory,
        Lock::Row => LockKind::Row,
    }
}
