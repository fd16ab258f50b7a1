//! Decides whether the database is fresh, so that migrations can share transactions, and how many statements one can have.

use migrate_set::sql::sharing::QUIET_EXTENSIONS;
use tokio_postgres::SimpleQueryRow;

use crate::sql::text;

/// What the server and the database are, as the row of `Ledger::surroundings` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Surroundings<'r> {
    server: &'r str,
    /// Limits of statements and of transactions, where the server has such a setting.
    timeouts: [Option<&'r str>; 2],
    /// Whether anything that ends the sharing is there: event triggers, tables of others.
    is_used: bool,
    /// The extensions, as an array.
    extensions: &'r str,
    /// The locks of each session, and the sessions.
    locks: [&'r str; 2],
}

/// How many statements migrations in one transaction can have; `None` if each needs its own, or if this is another row
/// than that of `Ledger::surroundings`.
pub(super) fn room(row: &SimpleQueryRow) -> Option<usize> {
    Surroundings {
        server: text(row, "server")?,
        timeouts: [text(row, "statement_timeout"), text(row, "transaction_timeout")],
        is_used: text(row, "is_used") != Some("f"),
        extensions: text(row, "extensions")?,
        locks: [text(row, "max_locks_per_transaction")?, text(row, "max_connections")?],
    }
    .room()
}

impl Surroundings<'_> {
    /// A statement takes up to eight locks or so (a table with its sequence, TOAST table and indexes), and a quarter
    /// of the server's lock table is left to one transaction. A transaction that is longer than `transaction_timeout`
    /// would end the session, and with `statement_timeout` it is unknown whether a statement was cancelled by it or
    /// by a person. Others that speak the protocol define objects in transactions of one statement, or outside.
    fn room(self) -> Option<usize> {
        let is_postgres = self.server.starts_with("PostgreSQL ") && !self.server.contains("-YB-");
        let is_unlimited = self.timeouts.iter().flatten().all(|limit| *limit == "0");
        let is_quiet = |name: &str| name.is_empty() || QUIET_EXTENSIONS.contains(&name);
        // The server quotes names with a comma or a brace, which are not quiet.
        let mut extensions = self.extensions.trim_matches(['{', '}']).split(',');
        if !is_postgres || !is_unlimited || self.is_used || !extensions.all(is_quiet) {
            return None;
        }
        let [each, sessions] = self.locks.map(|count| count.parse::<usize>().ok());
        Some(each?.saturating_mul(sessions?) / 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_database_of_postgres_without_limits_has_room() {
        let fresh = Surroundings {
            server: "PostgreSQL 15.18 (Debian) on x86_64",
            timeouts: [Some("0"), None],
            is_used: false,
            extensions: "{plpgsql,uuid-ossp}",
            locks: ["64", "100"],
        };
        let check = |found: Surroundings<'_>, expected: Option<usize>| {
            assert_eq!(found.room(), expected, "{found:?}");
        };
        check(fresh, Some(200));
        check(Surroundings { extensions: "{}", ..fresh }, Some(200));
        check(Surroundings { timeouts: [None, None], ..fresh }, Some(200));
        check(Surroundings { locks: ["10", "2"], ..fresh }, Some(0));
        check(Surroundings { locks: ["", "100"], ..fresh }, None);
        check(Surroundings { server: "CockroachDB CCL v24", ..fresh }, None);
        check(Surroundings { server: "PostgreSQL 15.2-YB-2.25 on x86_64", ..fresh }, None);
        check(Surroundings { timeouts: [Some("30s"), None], ..fresh }, None);
        check(Surroundings { timeouts: [Some("0"), Some("1min")], ..fresh }, None);
        check(Surroundings { is_used: true, ..fresh }, None);
        check(Surroundings { extensions: "{plpgsql,timescaledb}", ..fresh }, None);
        check(Surroundings { extensions: "{\"plpgsql,citext\"}", ..fresh }, None);
    }
}
