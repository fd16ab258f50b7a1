//! Decides how one statement of a non-transactional script can run so that it takes effect once,
//! and what it can leave behind when it is interrupted. Only the catalog says what it did leave.

use super::kind::{self, SessionEffect, StatementKind};
use super::lexer::{Token, TokenKind, lex};
use super::split::{Statement, split};

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
    let tokens: Vec<Token> = statement.significant().copied().collect();
    let words = Words { sql, tokens: &tokens };
    match kind::kind(sql, statement) {
        StatementKind::Plain if kind::calls_procedure(sql, statement) => Alone::Bare,
        StatementKind::Plain => Alone::Atomic,
        _ if words.is(0, "CREATE") => words.builds().unwrap_or(Alone::Bare),
        _ if words.is(0, "REINDEX") => words.rebuilds().unwrap_or(Alone::Bare),
        _ if words.is(0, "DROP") && words.is(1, "INDEX") => Alone::Drops,
        _ if words.is(0, "ALTER") && words.is(tokens.len() - 1, "CONCURRENTLY") => {
            let kept = tokens.last().map_or(0, |last| last.start);
            Alone::Detaches { finalize: format!("{}FINALIZE", &sql[..kept]) }
        }
        _ => Alone::Bare,
    }
}

/// The tokens of one statement, without blanks and comments.
struct Words<'w> {
    sql: &'w str,
    tokens: &'w [Token],
}

impl Words<'_> {
    fn is(&self, index: usize, word: &str) -> bool {
        self.tokens.get(index).is_some_and(|t| t.text(self.sql).eq_ignore_ascii_case(word))
    }

    /// `CREATE [ UNIQUE ] INDEX CONCURRENTLY [ [ IF NOT EXISTS ] name ] ON [ ONLY ] table ...`
    fn builds(&self) -> Option<Alone> {
        let mut at = 1 + usize::from(self.is(1, "UNIQUE"));
        if !(self.is(at, "INDEX") && self.is(at + 1, "CONCURRENTLY")) {
            return None;
        }
        at += 2;
        if self.is(at, "IF") && self.is(at + 1, "NOT") {
            at += 3;
        }
        let mut name = None;
        // A name in quotes is never the keyword.
        if !self.is(at, "ON") {
            name = Some(self.name(at)?);
            at += 1;
        }
        at += 1 + usize::from(self.is(at + 1, "ONLY"));
        Some(Alone::Builds { name, table: self.name(at)? })
    }

    /// `REINDEX [ ( ... ) ] { INDEX | TABLE | SCHEMA | DATABASE | SYSTEM } [ CONCURRENTLY ] [ name ]`
    fn rebuilds(&self) -> Option<Alone> {
        let mut at = 1;
        if self.tokens.get(1)?.kind == TokenKind::Open {
            at = 1 + self.tokens.iter().position(|token| token.kind == TokenKind::Close)?;
            let options = &self.tokens[1..at];
            let concurrently =
                options.iter().any(|t| t.text(self.sql).eq_ignore_ascii_case("CONCURRENTLY"));
            if !concurrently && !self.is(at + 1, "CONCURRENTLY") {
                return None;
            }
        } else if !self.is(at + 1, "CONCURRENTLY") {
            return None;
        }
        let named = at + 1 + usize::from(self.is(at + 1, "CONCURRENTLY"));
        let scope = match () {
            () if self.is(at, "INDEX") => Scope::Index(self.name(named)?),
            () if self.is(at, "TABLE") => Scope::Table(self.name(named)?),
            () if self.is(at, "SCHEMA") => Scope::Schema(self.name(named)?),
            () => Scope::Database,
        };
        Some(Alone::Rebuilds(scope))
    }

    /// The name at `at`, with its schema where it has one, as written.
    fn name(&self, at: usize) -> Option<String> {
        let first = self.tokens.get(at)?;
        let mut last = at;
        while self.is(last + 1, ".") && self.tokens.len() > last + 2 {
            last += 2;
        }
        let is_name = matches!(first.kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let end = self.tokens.get(last)?.end;
        is_name.then(|| self.sql[first.start..end].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(name: Option<&str>, table: &str) -> Alone {
        Alone::Builds { name: name.map(str::to_owned), table: table.to_owned() }
    }

    fn check(sql: &str, expected: &Alone) {
        assert_eq!(Alone::of(sql), *expected, "{sql}");
    }

    #[test]
    fn built_indexes_are_known_by_name_and_table() {
        check("create index concurrently i on t (a)", &builds(Some("i"), "t"));
        check(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I i\"\n ON ONLY s . \"T\" USING btree (a)",
            &builds(Some("\"I i\""), "s . \"T\""),
        );
        check("create index concurrently on /* x */ t(a)", &builds(None, "t"));
        check("create index concurrently \"on\" on t(a)", &builds(Some("\"on\""), "t"));
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
        for sql in ["insert into t values (1)", "set search_path = x", "do $$ begin null; end $$"] {
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
