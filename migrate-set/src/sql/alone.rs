//! Decides how one statement of a non-transactional script can run so that it takes effect once,
//! and what it can leave behind when it is interrupted. Only the catalog shows what it did leave.

use super::kind::{self, SessionEffect, StatementKind};
use super::lexer::{Token, lex};
use super::split::{Statement, split};
use super::words::Words;

/// How a statement of a non-transactional script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alone {
    /// In its own transaction, together with the record that it ran: exactly once.
    Atomic,
    /// A transaction block that the file itself contains, as the byte ranges of its statements
    /// including `BEGIN` and `COMMIT`: exactly once, with the record before the `COMMIT`.
    Block(Vec<(usize, usize)>),
    /// Builds an index CONCURRENTLY; when interrupted, it leaves an INVALID one.
    Builds {
        /// The index's name as written; `None` where the server chooses it.
        name: Option<String>,
        /// The table's name as written.
        table: String,
        /// A copy of the table in the session's temporary schema, under the same name.
        copy: String,
        /// The statement that builds the same index on the copy, under a name that the server chooses.
        on_copy: String,
        /// Whether it has `IF NOT EXISTS`, which keeps any index of that name.
        keeps_any: bool,
    },
    /// Rebuilds indexes CONCURRENTLY; when interrupted, it leaves INVALID ones whose names end in
    /// `_ccnew` or `_ccold`.
    Rebuilds(Scope),
    /// Detaches a partition CONCURRENTLY; when interrupted, `finalize` completes it.
    Detaches {
        /// The same statement with `FINALIZE`.
        finalize: String,
    },
    /// Drops an index CONCURRENTLY: waits for other sessions and blocks none.
    Drops,
    /// Anything else that can run only outside a transaction.
    Bare,
}

/// Which indexes a `REINDEX` rebuilds, by the name as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One.
    Index(String),
    /// Those of a table.
    Table(String),
    /// Those of a schema.
    Schema(String),
    /// All of the database.
    Database,
}

impl Alone {
    /// How `sql` runs, a statement or a transaction block of a non-transactional script.
    pub fn of(sql: &str) -> Alone {
        let tokens = lex(sql);
        let statements = split(sql, &tokens).unwrap_or_default();
        match statements.as_slice() {
            [one] => single(sql, one),
            [first, .., last] => block(sql, &statements, first, last),
            [] => Alone::Bare,
        }
    }

    /// Whether it waits for other sessions without blocking any, so that `lock_timeout` should not
    /// cancel it.
    pub fn is_concurrent(&self) -> bool {
        matches!(
            self,
            Alone::Builds { .. } | Alone::Rebuilds(_) | Alone::Detaches { .. } | Alone::Drops
        )
    }

    /// Whether the statement and the record that it ran commit together.
    pub fn is_atomic(&self) -> bool {
        matches!(self, Alone::Atomic | Alone::Block(_))
    }
}

/// Whether `sql` only prepared its session, so that a run that resumes in another session must send
/// it again.
pub fn prepares_session(sql: &str) -> bool {
    const FIRST: [&str; 7] = ["SET", "RESET", "SELECT", "CREATE", "PREPARE", "LISTEN", "UNLISTEN"];
    let tokens = lex(sql);
    let statements = split(sql, &tokens).unwrap_or_default();
    let [statement] = statements.as_slice() else { return false };
    let first = statement.tokens.first().map_or("", |token| token.text(sql));
    kind::session_effect(sql, statement) != SessionEffect::Keeps
        && FIRST.iter().any(|word| first.eq_ignore_ascii_case(word))
}

const CHAINS: StatementKind = StatementKind::TransactionControl("COMMIT AND CHAIN");

/// A block can contain our record if it ends in a plain `COMMIT` and contains no other.
fn block(
    sql: &str,
    statements: &[Statement<'_>],
    first: &Statement<'_>,
    last: &Statement<'_>,
) -> Alone {
    let kinds: Vec<StatementKind> =
        statements.iter().map(|statement| kind::kind(sql, statement)).collect();
    let ends = kinds.iter().filter(|kind| kind.closes() || **kind == CHAINS).count();
    let plain = kind::kind(sql, first).opens() && kind::kind(sql, last) == StatementKind::Commit;
    if plain && ends == 1 {
        Alone::Block(statements.iter().map(|one| (one.start(), one.end())).collect())
    } else {
        Alone::Bare
    }
}

fn single(sql: &str, statement: &Statement<'_>) -> Alone {
    let mut words = Words::of(sql, statement);
    let detached = |last: &&Token| last.text(sql).eq_ignore_ascii_case("CONCURRENTLY");
    match kind::kind(sql, statement) {
        StatementKind::Plain if kind::calls_procedure(sql, statement) => Alone::Bare,
        StatementKind::Plain => Alone::Atomic,
        // Whether it can run in a transaction depends on the server's version and on the subscription.
        _ if words.eat("ALTER SUBSCRIPTION") => Alone::Atomic,
        _ if words.eat("CREATE") => builds(&sql[..statement.end()], words).unwrap_or(Alone::Bare),
        _ if words.eat("REINDEX") => rebuilds(words).unwrap_or(Alone::Bare),
        _ if words.eat("DROP INDEX") => Alone::Drops,
        _ if words.eat("ALTER") => match statement.tokens.last().filter(detached) {
            Some(last) => Alone::Detaches { finalize: format!("{}FINALIZE", &sql[..last.start]) },
            None => Alone::Bare,
        },
        _ => Alone::Bare,
    }
}

/// `[ UNIQUE ] INDEX CONCURRENTLY [ [ IF NOT EXISTS ] name ] ON [ ONLY ] table ...`
fn builds(sql: &str, mut words: Words<'_>) -> Option<Alone> {
    let unique = if words.eat("UNIQUE") { "UNIQUE " } else { "" };
    if !words.eat("INDEX CONCURRENTLY") {
        return None;
    }
    let keeps_any = words.eat("IF NOT EXISTS");
    let name = if words.next_are("ON") { None } else { Some(words.written_name()?) };
    words.eat("ON");
    words.eat("ONLY");
    let table = words.written_name()?;
    let last = lex(&table).last().map(|token| token.text(&table).to_owned())?;
    let copy = format!("pg_temp.{last}");
    let on_copy = format!("CREATE {unique}INDEX ON {copy}{}", &sql[words.span().end..]);
    Some(Alone::Builds { name, table, copy, on_copy, keeps_any })
}

/// `[ ( ... ) ] { INDEX | TABLE | SCHEMA | DATABASE | SYSTEM } [ CONCURRENTLY ] [ name ]`
fn rebuilds(mut words: Words<'_>) -> Option<Alone> {
    let mut concurrently = false;
    let mut in_options = words.eat("(");
    while in_options {
        concurrently |= words.next_are("CONCURRENTLY");
        in_options = !words.next_are(")");
        words.skip()?;
    }
    let of: Option<fn(String) -> Scope> = match () {
        () if words.next_are("INDEX") => Some(Scope::Index),
        () if words.next_are("TABLE") => Some(Scope::Table),
        () if words.next_are("SCHEMA") => Some(Scope::Schema),
        () => None,
    };
    words.skip()?;
    if !words.eat("CONCURRENTLY") && !concurrently {
        return None;
    }
    let scope = of.map_or(Some(Scope::Database), |of| Some(of(words.written_name()?)))?;
    Some(Alone::Rebuilds(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name, the table, and the statement on a copy.
    fn builds(sql: &str) -> (Option<String>, String, String) {
        match Alone::of(sql) {
            Alone::Builds { name, table, on_copy, .. } => (name, table, on_copy),
            other => (None, format!("{other:?}"), String::new()),
        }
    }

    fn check(sql: &str, expected: &Alone) {
        assert_eq!(Alone::of(sql), *expected, "{sql}");
    }

    #[test]
    fn built_indexes_are_known_by_name_and_table() {
        let check = |sql: &str, name: Option<&str>, table: &str, on_copy: &str| {
            let expected = (name.map(str::to_owned), table.to_owned(), on_copy.to_owned());
            assert_eq!(builds(sql), expected, "{sql}");
        };
        check(
            "create index concurrently i on t (a)",
            Some("i"),
            "t",
            "CREATE INDEX ON pg_temp.t (a)",
        );
        check(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I i\"\n ON ONLY s . \"T\" USING btree (a)",
            Some("\"I i\""),
            "s . \"T\"",
            "CREATE UNIQUE INDEX ON pg_temp.\"T\" USING btree (a)",
        );
        check(
            "create index concurrently on /* x */ t(a)",
            None,
            "t",
            "CREATE INDEX ON pg_temp.t(a)",
        );
        check(
            "create index concurrently \"on\" on t(a) where b",
            Some("\"on\""),
            "t",
            "CREATE INDEX ON pg_temp.t(a) where b",
        );
    }

    #[test]
    fn rebuilt_indexes_are_known_by_their_scope() {
        let rebuilds = |scope| Alone::Rebuilds(scope);
        check("reindex index concurrently s.i", &rebuilds(Scope::Index("s.i".to_owned())));
        check("reindex (verbose, concurrently) table t", &rebuilds(Scope::Table("t".to_owned())));
        check(
            "reindex (verbose) schema concurrently \"S\"",
            &rebuilds(Scope::Schema("\"S\"".to_owned())),
        );
        check("reindex database concurrently d", &rebuilds(Scope::Database));
        check("reindex (concurrently) database", &rebuilds(Scope::Database));
        check("reindex schema s", &Alone::Bare);
        check("reindex (verbose) database d", &Alone::Bare);
    }

    #[test]
    fn what_can_run_in_a_transaction_is_atomic() {
        for sql in [
            "insert into t values (1)",
            "set search_path = x",
            "do $$ begin null; end $$",
            "alter subscription s refresh publication",
        ] {
            check(sql, &Alone::Atomic);
        }
        for sql in [
            "vacuum t",
            "call p()",
            "do $$ begin call p(); end $$",
            "do $$ begin commit; end $$",
            "alter system set work_mem = '1MB'",
        ] {
            check(sql, &Alone::Bare);
        }
    }

    #[test]
    fn blocks_that_commit_once_are_one_step() {
        check("begin; select 1; commit", &Alone::Block(vec![(0, 5), (7, 15), (17, 23)]));
        check("begin; select 1; rollback", &Alone::Bare);
        check("begin; select 1; commit and chain; select 2; commit", &Alone::Bare);
    }

    #[test]
    fn what_only_prepares_the_session_is_sent_again() {
        for sql in ["set search_path = a", "create temp table t (a int)", "set role x"] {
            assert!(prepares_session(sql), "{sql}");
        }
        for sql in
            ["insert into t values (1)", "create table t (a int)", "begin; set a.b = c; commit"]
        {
            assert!(!prepares_session(sql), "{sql}");
        }
    }

    #[test]
    fn drops_and_detaches_wait_without_keeping_others_waiting() {
        check("drop index concurrently if exists i", &Alone::Drops);
        let finalize = "alter table t detach partition p FINALIZE".to_owned();
        let detaches = Alone::Detaches { finalize };
        check("alter table t detach partition p concurrently", &detaches);
        assert!(detaches.is_concurrent() && Alone::Drops.is_concurrent());
        assert!(!Alone::Bare.is_concurrent() && Alone::Atomic.is_atomic());
    }
}
