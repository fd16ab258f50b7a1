//! The guard of a transaction in plain SQL, where that suffices: a new session does not load PL/pgSQL for it.
//!
//! Plain SQL cannot raise a SQLSTATE of its own. So a guard that refuses shows no reason (`division_by_zero`), and the run
//! starts over with blocks, which do. That is rare, because the query that takes the lock answers first.

use super::entry::NOTE_START;
use super::guard::{Purpose, TRY_LOCK, Terms};
use super::ledger::Ledger;
use super::look::IS_OWN;
use super::operator::{EQ, require};
use super::trust::{UTF8, is_of_table};

/// Whether the session reads strings differently from the build, as one of several conditions.
const STRINGS_DIFFER: &str =
    " OR pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.<>) 'on'";

impl Terms<'_> {
    /// Whether plain SQL suffices: it cannot renew a lock row, end at a deadline, or limit the workers of Citus.
    pub(crate) fn is_plain(self) -> bool {
        self.may_be_plain && self.claim.is_none() && self.time_left.is_none() && !self.is_citus
    }

    /// The guard as two statements, between which the ledger is created if it is missing: takes the lock and sets how
    /// the transaction commits and waits; then checks that the ledger is as it was read, and records the time. `None` if
    /// it has to be a block, as it has where listeners learn of the migrations before it.
    ///
    /// Not one statement: its snapshot can be older than the lock. Measured on the server, 50 in a message: 70 us both,
    /// 115 us as a block. In a new session the first block costs 0.95 ms.
    pub(crate) fn plain_guard(self, purpose: Purpose) -> Option<[String; 2]> {
        let Purpose::Apply { position, commit, has_escapes, is_watched: false } = purpose else {
            return None;
        };
        if !self.is_plain() {
            return None;
        }
        let escapes = if has_escapes { STRINGS_DIFFER } else { "" };
        // `Ledger::try_lock` recognises such a message by the last part.
        let key = self.ledger.lock_key();
        let locked = format!("NOT (NOT {UTF8}{escapes} OR NOT {TRY_LOCK}({key}))");
        let last = self.position();
        Some([
            format!("SELECT {} AS is_locked, {}", require(&locked), self.settings(commit)),
            format!(
                "SELECT {} AS is_as_read, {NOTE_START}",
                require(&format!("{last} {EQ} {position}"))
            ),
        ])
    }
}

impl Ledger {
    /// As [`Ledger::check`], for a table that the current role has just created: that of any other role is refused.
    pub(crate) fn plain_check(&self) -> String {
        let own = is_of_table(&self.schema, &self.table, IS_OWN);
        format!("SELECT {} AS is_own", require(&format!("{own} IS TRUE")))
    }
}
