//! The lock row: a lock as a row of the ledger, for servers and connections without advisory locks. It
//! uses only the server's clock, because replicas' clocks differ.

use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::entry::NOW;
use super::ledger::Ledger;
use super::literal::{column, literal};
use super::operator::{EQ, GT, NE};
use crate::outcome::Holder;

/// A lock row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The token of its holder.
    pub(crate) token: String,
    /// Who holds it.
    pub(crate) holder: Holder,
    /// Whether it has not been renewed in time.
    pub(crate) expired: bool,
}

/// The kind of a lock row whose holder has its own session, and of one that uses a pooler.
const OWN_SESSION: &str = "lock";
const POOLED: &str = "pooled lock";

/// The key of the lock row: a module that no set can have, and a version.
const LOCK: (&str, &str) = ("", "lock");

/// The position of the lock row: above any entry, so that the guards of other runs find the ledger
/// changed. It also ends there, so it is not a present entry.
pub(super) const LOCK_POSITION: i64 = 1 << 62;

/// Whether the lock in the row `h` was not renewed in time, by the server's clock.
pub(super) const EXPIRED: &str = "((h.applied_at OPERATOR(pg_catalog.+) (h.execution_ms \
     OPERATOR(pg_catalog.*) pg_catalog.make_interval(secs => 0.001))) \
     OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp())";

impl Ledger {
    /// Takes the lock row; returns a row if it was free. Its kind is `lock` if the session has the
    /// `process` that the server named at start-up, otherwise the holder uses a pooler.
    pub(crate) fn claim(&self, token: &str, lease: Duration, process: Option<i32>) -> String {
        let (module, version) = LOCK;
        let (own, pooled) = (literal(OWN_SESSION), literal(POOLED));
        let kind = match process {
            None => own,
            Some(process) => {
                format!(
                    "CASE WHEN pg_catalog.pg_backend_pid() {EQ} {process} THEN {own} \
                     ELSE {pooled} END"
                )
            }
        };
        format!(
            "INSERT INTO {} (module, version, kind, name, filename, checksum_algorithm, \
             \"position\", applied_at, execution_ms, applied_by, ended_position, progress) \
             VALUES ({}, {}, {}, '', {}, '', {LOCK_POSITION}, pg_catalog.clock_timestamp(), {}, \
             session_user, {LOCK_POSITION}, pg_catalog.pg_backend_pid()) \
             ON CONFLICT DO NOTHING RETURNING filename",
            self.quoted,
            literal(module),
            literal(version),
            kind,
            literal(token),
            lease.as_millis()
        )
    }

    /// Renews the lock, and prevents others from taking it over until the end of the transaction; a
    /// statement that sets `FOUND` in PL/pgSQL.
    pub(crate) fn renew(&self, token: &str) -> String {
        format!(
            "UPDATE {} l SET applied_at = {NOW} WHERE {} AND l.filename {EQ} {}",
            self.quoted,
            at_lock("l"),
            literal(token)
        )
    }

    /// Releases the lock.
    pub(crate) fn release(&self, token: &str) -> String {
        let at_lock = at_lock("l");
        format!(
            "DELETE FROM {} l WHERE {at_lock} AND l.filename {EQ} {}",
            self.quoted,
            literal(token)
        )
    }

    /// Removes a lock whose holder is gone as [`Ledger::is_gone`] has it; returns a row if it did.
    pub(crate) fn break_lease(&self, token: &str) -> String {
        format!(
            "DELETE FROM {} l WHERE l.ctid {EQ} ANY (ARRAY({})) RETURNING l.filename",
            self.quoted,
            self.is_gone(token)
        )
    }

    /// A row if the holder of a lock is gone.
    ///
    /// It is gone if it did not renew in time, is not in a transaction that renewed (the row would
    /// be locked), and has no session. Through a pooler it has no session of its own: then no session
    /// of its role must run a statement that contains the token, which all its statements do. A session
    /// whose statement is hidden could be the holder.
    pub(crate) fn is_gone(&self, token: &str) -> String {
        let (quoted, at_lock, token) = (&self.quoted, at_lock("h"), literal(token));
        let own = literal(OWN_SESSION);
        format!(
            "SELECT h.ctid FROM {quoted} h WHERE {at_lock} AND h.filename {EQ} {token} AND {EXPIRED} AND NOT EXISTS (\
             SELECT 1 FROM pg_catalog.pg_stat_activity a \
             WHERE a.datname {EQ} pg_catalog.current_database() \
             AND a.pid {NE} pg_catalog.pg_backend_pid() \
             AND CASE WHEN h.kind {EQ} {own} THEN a.pid {EQ} h.progress \
             AND (a.backend_start IS NULL OR a.backend_start OPERATOR(pg_catalog.<=) h.applied_at) \
             ELSE a.usename {EQ} h.applied_by::pg_catalog.name AND (a.query IS NULL \
             OR a.query {EQ} '<insufficient privilege>' OR a.state {EQ} 'disabled' \
             OR (a.state {NE} 'idle' AND pg_catalog.strpos(a.query, h.filename) {GT} 0)) END) \
             FOR UPDATE OF h SKIP LOCKED"
        )
    }

    /// The statement that removes the lock of any holder, for an error.
    pub(crate) fn force_unlock(&self) -> String {
        format!(
            "`DELETE FROM {} WHERE module = {} AND version = {}`",
            self.quoted,
            literal(LOCK.0),
            literal(LOCK.1)
        )
    }
}

/// The holder of a lock in the row of a query for it.
pub(super) fn holder(row: &SimpleQueryRow) -> Holder {
    Holder {
        pid: column(row, "pid").and_then(|pid| pid.parse().ok()).unwrap_or_default(),
        application_name: column(row, "application_name").unwrap_or_default(),
        user: column(row, "user").unwrap_or_default(),
        since: column(row, "since"),
        transaction_age: None,
        statement: None,
        prepared: None,
    }
}

/// The condition that the row `alias` is the lock row.
pub(super) fn at_lock(alias: &str) -> String {
    let (module, version) = LOCK;
    let (module, version) = (literal(module), literal(version));
    format!("{alias}.module {EQ} {module} AND {alias}.version {EQ} {version}")
}
