//! The guards that stop a message, and the limits of its statements. A guard never waits for a lock in the
//! server, because a waiting session holds a snapshot, which `CREATE INDEX CONCURRENTLY` waits for.

use std::time::Duration;

use super::citus::{limit_workers, synchronous};
use super::entry::{NOTE_START, NOW, since_message};
use super::ledger::Ledger;
use super::literal::literal;
use super::look::schema_oid;
use super::operator::{CAT, EQ, GT, NE, SUB};
use super::trust::UTF8;
use crate::migrator::DEFAULT_LOCK_TIMEOUT;
use crate::wire::{BUSY, DEADLINE, ENCODING, ENDED, ESCAPES, LOST, MOVED};

/// The values that all guards of a run depend on, at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'t> {
    pub(crate) ledger: &'t Ledger,
    /// The token of the lock row, if the run holds it.
    pub(crate) claim: Option<&'t str>,
    /// How long a statement waits for a lock, if the caller set it.
    pub(crate) lock_timeout: Option<Duration>,
    /// The time left until the deadline; `None` without one.
    pub(crate) time_left: Option<Duration>,
    /// Whether the database has Citus.
    pub(crate) is_citus: bool,
    /// Whether no guard in plain SQL has refused.
    pub(crate) may_be_plain: bool,
}

/// The purpose of a transaction, which determines its guard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Creates the ledger, or takes the lock row.
    Ledger { commit: Commit },
    /// Changes only the ledger, if its last position is this.
    Edit { position: i64 },
    /// Applies a script, if the ledger's last position is this.
    Apply {
        position: i64,
        commit: Commit,
        /// Whether the script depends on how the session reads strings.
        has_escapes: bool,
        /// Whether a listener wants to know when the next migration starts.
        is_watched: bool,
    },
}

/// When a transaction is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    /// When the server answers its `COMMIT`.
    Synchronous,
    /// With the next synchronous one. WAL is sequential: the run's last commit, which is synchronous,
    /// makes these durable, and a crash before it loses the last migrations together with their entries.
    Asynchronous,
}

/// How long a statement outside a transaction waits for locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// As the caller or the session limits it.
    Limited,
    /// Without a limit, whatever the role and the database set: the statement blocks no other session, and
    /// would leave an INVALID index.
    Unlimited,
    /// As the migration has set it.
    AsItSets,
}

/// The settings of modules that can log the whole message with each of its statements.
pub(crate) const LOGGERS: [&str; 3] =
    ["pgaudit.log", "pgaudit.role", "auto_explain.log_min_duration"];

/// Whether this one of [`LOGGERS`] logs every statement. What `auto_explain` logs above a limit is little.
pub(crate) fn logs_each(name: &str, setting: &str) -> bool {
    match name {
        "auto_explain.log_min_duration" => setting == "0",
        _ => !(setting.is_empty() || setting.eq_ignore_ascii_case("none")),
    }
}

pub(super) const TRY_LOCK: &str = "pg_catalog.pg_try_advisory_xact_lock";
const SET_CONFIG: &str = "pg_catalog.set_config";

impl Terms<'_> {
    /// Takes the lock until the end of the transaction, or raises [`BUSY`]; raises [`MOVED`] if the
    /// ledger has changed; records the time, and sets how the transaction commits and waits.
    ///
    /// A PL/pgSQL block, because plain SQL cannot raise a SQLSTATE of its own; [`Terms::plain_guard`] is used where
    /// that does not matter. Measured on the server, 300 in a message: 110 us each, of which 50 for the position, 40
    /// for the settings and 10 for the lock. A set of 200 on a server in memory: 136 ms with blocks, 124 ms with
    /// plain statements, 111 ms with guard and entry as prepared statements, which a failure would leave in a
    /// pooled session, and 73 ms without guards, entries and a transaction for each.
    pub(crate) fn guard(self, purpose: Purpose) -> String {
        let lock = match self.claim {
            None => raise_unless(
                &format!("{TRY_LOCK}({})", self.ledger.lock_key()),
                ("another replica is migrating", BUSY),
            ),
            Some(token) => self.renewal(token),
        };
        let moved = |position: i64| {
            let last = self.position();
            raise_unless(&format!("({last} {EQ} {position})"), ("the ledger has moved", MOVED))
        };
        let (before, moved, commit, news) = match purpose {
            // A ledger without entries that is lost is created again.
            Purpose::Ledger { commit } => (String::new(), String::new(), commit, ""),
            Purpose::Edit { position } => (String::new(), moved(position), Commit::Synchronous, ""),
            Purpose::Apply { position, commit, has_escapes, is_watched } => {
                // The server buffers its answers until the end of a message, but a notice flushes them
                // (`send_message_to_frontend`), so that listeners learn of earlier migrations at once.
                let news = if is_watched { " RAISE INFO 'the next migration begins';" } else { "" };
                (strings_guard(has_escapes), moved(position), commit, news)
            }
        };
        let (time_left, settings) = (self.deadline_guard(), self.settings(commit));
        let encoding = encoding_guard();
        block(&format!(
            "{encoding}{before}{lock}{moved}{time_left}PERFORM {NOTE_START}, {settings};{}{news}",
            self.limit_workers()
        ))
    }

    /// Takes the session's lock or raises [`BUSY`]; a run that holds the lock row renews it.
    pub(crate) fn session_guard(self, has_escapes: bool) -> String {
        let strings = strings_guard(has_escapes);
        let before = format!("{}{strings}{}", encoding_guard(), self.deadline_guard());
        match self.claim {
            None => {
                let lock = raise_unless(
                    &format!("pg_catalog.pg_try_advisory_lock({})", self.ledger.lock_key()),
                    ("another replica is migrating", BUSY),
                );
                // The lock comes last, so that an error before it leaves no lock.
                block(&format!("{before}{lock}"))
            }
            Some(token) => block(&format!("{before}{}", self.renewal(token))),
        }
    }

    /// Raises [`MOVED`] unless `condition` holds and the last position is `position`.
    pub(crate) fn condition_guard(self, position: i64, condition: &str) -> String {
        let last = self.position();
        let both = format!("({last} {EQ} {position} AND {condition})");
        block(&raise_unless(&both, ("the ledger has moved", MOVED)))
    }

    /// Changes the entry by `update`, or raises [`LOST`] if it is not as this run wrote it.
    pub(crate) fn note(self, update: &str) -> String {
        let renewal = self.claim.map_or_else(String::new, |token| self.renewal(token));
        let lost = raise_unless("FOUND", ("the entry was changed by another session", LOST));
        block(&format!("{}{renewal}{update}; {lost}", encoding_guard()))
    }

    /// Limits the statements of a transaction.
    pub(crate) fn limits_of_transaction(self) -> String {
        let settings = self.settings(Commit::Synchronous);
        if self.is_citus {
            return block(&format!("PERFORM {settings};{}", self.limit_workers()));
        }
        format!("SELECT {settings}")
    }

    fn limit_workers(self) -> String {
        if self.is_citus { format!(" {}", limit_workers()) } else { String::new() }
    }

    /// Limits the rest of a transaction again, after a statement that can have set another limit; `None` without a
    /// deadline.
    pub(crate) fn limit_again(self) -> Option<String> {
        let limit = statement_timeout(self.time_left?);
        Some(format!("SELECT {SET_CONFIG}('statement_timeout', {limit}, true)"))
    }

    /// Limits the statements of the session, and returns the statement that restores the old limits;
    /// `None` if there is nothing to limit.
    pub(crate) fn limits_of_session(self, waits: Waits) -> Option<String> {
        let lock = match waits {
            Waits::Limited => Some(("lock_timeout", self.lock_timeout())),
            Waits::Unlimited => Some(("lock_timeout", "'0'".to_owned())),
            Waits::AsItSets => None,
        };
        let statement = self.time_left.map(|left| ("statement_timeout", statement_timeout(left)));
        let limits: Vec<_> = lock.into_iter().chain(statement).collect();
        if limits.is_empty() {
            return None;
        }
        let set =
            |(name, value): &(&str, String)| format!("{SET_CONFIG}('{name}', {value}, false)");
        let sets: Vec<String> = limits.iter().map(set).collect();
        let put = |(name, _): &(&str, String)| {
            format!(
                "'{SET_CONFIG}(''{name}'', ' {CAT} \
                 pg_catalog.quote_literal(pg_catalog.current_setting('{name}')) {CAT} ', false)'"
            )
        };
        let puts: Vec<String> = limits.iter().map(put).collect();
        // The items of a SELECT list are evaluated from left to right.
        let puts = puts.join(&format!(" {CAT} ', ' {CAT} "));
        Some(format!("SELECT 'SELECT ' {CAT} {puts} AS put_back, {}", sets.join(", ")))
    }

    /// The position that a guard compares. For a run without the lock row, that row is a change.
    pub(super) fn position(self) -> String {
        match self.claim {
            None => self.ledger.highest_position(),
            Some(_) => self.ledger.last_position(),
        }
    }

    fn renewal(self, token: &str) -> String {
        let renew = self.ledger.renew(token);
        format!("{renew}; {}", raise_unless("FOUND", ("the lock was taken over", LOST)))
    }

    /// Raises [`DEADLINE`] after the deadline, also in the middle of a message.
    fn deadline_guard(self) -> String {
        let passed = ("the deadline of the run has passed", DEADLINE);
        let left = self.time_left.map(|left| format!("({} {GT} 0)", millis_left(left)));
        left.map(|left| raise_unless(&left, passed)).unwrap_or_default()
    }

    /// The settings of a transaction, as items of a list.
    pub(super) fn settings(self, commit: Commit) -> String {
        let lock = ("lock_timeout", self.lock_timeout());
        let statement = self.time_left.map(|left| ("statement_timeout", statement_timeout(left)));
        let commit = match commit {
            _ if self.is_citus => Some(("synchronous_commit", synchronous())),
            Commit::Asynchronous => Some(("synchronous_commit", "'off'".to_owned())),
            Commit::Synchronous => None,
        };
        let mut settings = Vec::new();
        for (name, value) in [Some(lock), statement, commit].into_iter().flatten() {
            settings.push(format!("{SET_CONFIG}('{name}', {value}, true)"));
        }
        settings.join(", ")
    }

    /// Limits how long the statements after it in a message wait for a lock.
    pub(crate) fn limit_of_read(self) -> String {
        setting_of_read("lock_timeout", &self.lock_timeout())
    }

    /// How long a statement waits for a lock: what the caller set, otherwise the session's own limit.
    fn lock_timeout(self) -> String {
        let millis = |limit: Duration| format!("'{}ms'", millis(limit));
        match self.lock_timeout {
            Some(named) => millis(named),
            None => format!(
                "CASE WHEN pg_catalog.current_setting('lock_timeout') {EQ} '0' THEN {} \
                 ELSE pg_catalog.current_setting('lock_timeout') END",
                millis(DEFAULT_LOCK_TIMEOUT)
            ),
        }
    }
}

/// A statement that sets this for the statements after it in a message, and returns no row; a transaction of the caller
/// keeps its own value.
pub(super) fn setting_of_read(name: &str, value: &str) -> String {
    format!(
        "SELECT WHERE {SET_CONFIG}('{name}', CASE WHEN pg_catalog.now() {EQ} \
         pg_catalog.statement_timestamp() THEN {value} \
         ELSE pg_catalog.current_setting('{name}') END, true) IS NULL; "
    )
}

impl Ledger {
    /// Takes the advisory lock until the end of the transaction; returns whether it is taken, and
    /// [`LOGGERS`].
    ///
    /// Between two transactions of a message the lock is free. So it is not tried while another session runs
    /// such a message, which would then be refused.
    pub(crate) fn try_lock(&self) -> String {
        let key = self.lock_key();
        let setting = |name| format!("pg_catalog.current_setting('{name}', true) AS \"{name}\"");
        // The text of a guard, in two parts, so that this query is not one.
        let guard = format!("('NOT ' {CAT} '{TRY_LOCK}({key})')");
        let own = "pg_catalog.pg_backend_pid()";
        // The function, because SELECT on the view pg_stat_activity can be revoked; not `pg_database` for the database,
        // which a new session opens for the first time.
        format!(
            "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a \
             WHERE a.pid {NE} {own} AND a.datid {EQ} (SELECT o.datid FROM pg_catalog.pg_stat_get_activity({own}) o) \
             AND a.state {EQ} 'active' AND pg_catalog.strpos(a.query, {guard}) {GT} 0) THEN false \
             ELSE {TRY_LOCK}({key}) END AS locked, {}",
            LOGGERS.map(setting).join(", ")
        )
    }

    /// Returns whether the ledger is as it was read: its last position is this and `condition` holds, or there
    /// is no table. A statement of its own after the lock, because the one that takes the lock can have an
    /// older snapshot.
    ///
    /// A query of the catalog, because `to_regclass` can return NULL for a table that was committed since the
    /// transaction began: the session remembers that there was none, until it locks another table.
    pub(crate) fn is_as_read(&self, position: Option<i64>, condition: &str) -> String {
        match position {
            Some(position) => {
                let last = self.highest_position();
                format!("SELECT {last} {EQ} {position} AND {condition} AS is_as_read")
            }
            None => format!(
                "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace {EQ} {} \
                 AND c.relname {EQ} {}) AS is_as_read",
                schema_oid(&self.schema),
                literal(&self.table)
            ),
        }
    }
}

/// Raises [`ENDED`] if the time that the guard recorded in the transaction is gone.
pub(crate) fn same_transaction() -> String {
    let noted =
        format!("(COALESCE(pg_catalog.current_setting('migrate.started', true), '') {NE} '')");
    block(&raise_unless(&noted, ("the transaction was ended", ENDED)))
}

/// Raises [`ENCODING`] if the server would read what is sent next differently from the build.
pub(crate) fn same_encoding() -> String {
    block(&encoding_guard())
}

fn encoding_guard() -> String {
    format!(
        "IF NOT {UTF8} THEN RAISE EXCEPTION 'client_encoding is %', pg_catalog.pg_client_encoding() \
         USING ERRCODE = '{ENCODING}'; END IF; "
    )
}

/// Raises [`ESCAPES`] if it matters and the session reads strings differently from the build.
fn strings_guard(matters: bool) -> String {
    let on = format!("(pg_catalog.current_setting('standard_conforming_strings') {EQ} 'on')");
    let off = ("standard_conforming_strings is off", ESCAPES);
    if matters { raise_unless(&on, off) } else { String::new() }
}

fn raise_unless(condition: &str, (message, sqlstate): (&str, &str)) -> String {
    format!(
        "IF NOT {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '{sqlstate}'; END IF; "
    )
}

pub(super) fn block(body: &str) -> String {
    let declared = if body.contains(NOW) {
        format!("DECLARE {NOW} pg_catalog.timestamptz := pg_catalog.clock_timestamp(); ")
    } else {
        String::new()
    };
    format!("DO {}", literal(&format!("{declared}BEGIN {body} END")))
}

/// The milliseconds of a limit as the server can have it: at most 24 days, and none is zero only if it is meant to
/// be unlimited.
fn millis(limit: Duration) -> u128 {
    limit.as_nanos().div_ceil(1_000_000).min(i32::MAX.unsigned_abs().into())
}

/// Milliseconds until the deadline, now in the server.
fn millis_left(left: Duration) -> String {
    format!("({} {SUB} {})", millis(left), since_message("pg_catalog.clock_timestamp()"))
}

/// How long a statement can run: the time left, unless the session's own limit is shorter.
fn statement_timeout(left: Duration) -> String {
    let own = format!(
        "(SELECT s.setting::pg_catalog.int8 FROM pg_catalog.pg_settings s \
         WHERE s.name {EQ} 'statement_timeout' AND s.setting {NE} '0')"
    );
    // LEAST leaves out NULL, which is the limit of a session without one.
    format!("LEAST({own}, GREATEST({}, 1))::pg_catalog.text", millis_left(left))
}
