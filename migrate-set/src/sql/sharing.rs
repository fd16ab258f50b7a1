//! Decides from the text of a statement whether a migration can share its transaction with others, so that
//! nothing distinguishes that from a transaction of its own. When in doubt, it cannot.
//!
//! `docs/design.md` lists what was considered ("One transaction for many").

use super::lexer::{Token, TokenKind};
use super::split::Statement;
use super::words::Words;

/// With which others a migration can share its transaction; the greatest of its statements counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Sharing {
    /// With all: it only defines objects.
    Shares,
    /// With those before it: rows, times, sequences or code of the database's are its own, as long as nothing
    /// follows and it does not run twice.
    Last,
    /// With none.
    #[default]
    Alone,
    /// With none, and from here on nothing is shared: it can bring in code that watches the others.
    Ends,
}

/// With which others `statement`, a statement of `text`, can share its transaction.
pub fn sharing(text: &str, statement: &Statement<'_>) -> Sharing {
    let words = Words::of(text, statement);
    let [first, second] = [words.word(0), words.word(1)];
    if is(first, &["DO"]) || (is(first, &["CREATE"]) && words.makes(&["FUNCTION", "PROCEDURE"])) {
        return routine(&words, first);
    }
    match () {
        () if words.watches() => Sharing::Ends,
        () if is(first, &["CREATE"]) => created(&words),
        () if is(first, &["ALTER"]) => altered(&words),
        () if is(first, &["DROP"]) => known(is(second, &DEFINED) || is(second, &["MATERIALIZED"])),
        () if is(first, &["COMMENT"]) => known(!is(words.word(2), &OF_THE_CLUSTER)),
        () if is(first, &["GRANT", "REVOKE"]) => granted(&words),
        () if is(first, &["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "REFRESH"]) => {
            Sharing::Last
        }
        // Which reads are only for their side effects, cannot be seen.
        () if is(first, &["SELECT"]) && words.sets_sequences_only() => Sharing::Last,
        () if is(first, &["LOAD"]) => Sharing::Ends,
        () => Sharing::Alone,
    }
}

/// Objects of one database whose definition reads no rows and runs no code.
const DEFINED: [&str; 15] = [
    "TABLE", "INDEX", "VIEW", "SEQUENCE", "TYPE", "DOMAIN", "SCHEMA", "FUNCTION", "PROCEDURE",
    "ROUTINE", "AGGREGATE", "TRIGGER", "POLICY", "RULE", "STATISTICS",
];

/// Objects that all databases of a server see: a long transaction makes those of the others wait.
const OF_THE_CLUSTER: [&str; 6] =
    ["DATABASE", "ROLE", "TABLESPACE", "SUBSCRIPTION", "PARAMETER", "LARGE"];

/// Those whose change reads rows.
const WITH_ROWS: [&str; 4] = ["TABLE", "INDEX", "TYPE", "DOMAIN"];

/// Extensions whose code runs only where it is called, and reaches nothing outside of its transaction. The run
/// asks the server for others.
pub const QUIET_EXTENSIONS: [&str; 20] = [
    "plpgsql", "uuid-ossp", "pgcrypto", "citext", "hstore", "pg_trgm", "btree_gin", "btree_gist",
    "unaccent", "ltree", "intarray", "fuzzystrmatch", "tablefunc", "cube", "earthdistance", "isn",
    "seg", "pg_stat_statements", "postgis", "vector",
];

fn known(is_known: bool) -> Sharing {
    if is_known { Sharing::Shares } else { Sharing::Alone }
}

/// A body runs later, or at once if it is that of `DO`.
fn routine(words: &Words<'_>, first: &str) -> Sharing {
    let foreign = |at: usize| {
        is(words.word(at), &["LANGUAGE"]) && !is(words.bare(at + 1), &["sql", "plpgsql"])
    };
    if (0..words.tokens.len()).any(foreign) || words.body_watches() {
        return Sharing::Ends;
    }
    // A handler could catch an error that only the shared transaction has.
    if is(first, &["DO"]) { Sharing::Alone } else { words.unless_now(Sharing::Shares) }
}

fn created(words: &Words<'_>) -> Sharing {
    let is_any = |kinds: &[&str]| words.makes(kinds);
    match () {
        () if is_any(&["EXTENSION"]) => {
            let name = (2..words.tokens.len())
                .map(|at| words.bare(at))
                .find(|word| !is(word, &["IF", "NOT", "EXISTS"]));
            let is_quiet = name.is_some_and(|name| QUIET_EXTENSIONS.contains(&name));
            if is_quiet { Sharing::Alone } else { Sharing::Ends }
        }
        // They run functions that no word names where they are used.
        () if is_any(&["OPERATOR", "CAST"]) => Sharing::Ends,
        () if is_any(&["DOMAIN"]) && words.may_run() => Sharing::Ends,
        () if is_any(&["MATERIALIZED"]) => Sharing::Last,
        () if is_any(&["FOREIGN", "TEMP", "TEMPORARY"]) => Sharing::Alone,
        () if is_any(&["TABLE"]) => {
            let reads = words.have("AS");
            // The bounds of a partition are computed.
            let runs = words.pair("PARTITION", "OF") && words.may_run();
            if reads || runs { Sharing::Last } else { words.unless_now(Sharing::Shares) }
        }
        () if is_any(&["INDEX"]) => words.unless_run(),
        () if is_any(&["VIEW", "SEQUENCE", "TYPE", "DOMAIN", "SCHEMA", "AGGREGATE"]) => {
            words.unless_now(Sharing::Shares)
        }
        () if is_any(&["TRIGGER", "POLICY", "RULE", "STATISTICS"]) => {
            words.unless_now(Sharing::Shares)
        }
        () => Sharing::Alone,
    }
}

fn altered(words: &Words<'_>) -> Sharing {
    let second = words.word(1);
    match () {
        () if is(second, &["EXTENSION"]) => Sharing::Ends,
        () if is(second, &["DOMAIN"]) && words.may_run() => Sharing::Ends,
        () if is(second, &["TYPE"]) && words.pair("ADD", "VALUE") => Sharing::Alone,
        () if is(second, &["DEFAULT"]) => Sharing::Shares,
        () if is(second, &WITH_ROWS) || is(second, &["MATERIALIZED"]) => words.unless_run(),
        () if is(second, &DEFINED) => words.unless_now(Sharing::Shares),
        () => Sharing::Alone,
    }
}

/// Privileges on objects of the database; a role is of the cluster.
fn granted(words: &Words<'_>) -> Sharing {
    let on = (0..words.tokens.len()).find(|at| is(words.word(*at), &["ON"]));
    known(on.is_some_and(|on| !is(words.word(on + 1), &OF_THE_CLUSTER)))
}

/// What is written before a parenthesis and is no call, or the call of a function that depends on its arguments
/// only, or on chance.
const QUIET_CALLS: [&str; 83] = [
    "key", "check", "unique", "include", "with", "where", "and", "or", "not", "in", "values",
    "default", "as", "any", "all", "set", "reset", "range", "list", "hash", "from", "to", "null",
    "distinct", "like", "then", "else", "when", "exists", "using", "between", "on", "columns",
    "partition", "identity", "by", "btree", "gist", "gin", "brin", "spgist", "varchar", "char",
    "character", "varying", "numeric", "decimal", "bit", "time", "timestamp", "timestamptz",
    "timetz", "float", "interval", "lower", "upper", "coalesce", "nullif", "greatest", "least",
    "length", "char_length", "octet_length", "trim", "btrim", "abs", "round", "left", "right",
    "replace", "md5", "concat", "to_tsvector", "jsonb_typeof", "jsonb_array_length",
    "jsonb_build_object", "jsonb_build_array", "array_length", "cardinality", "num_nonnulls",
    "num_nulls", "gen_random_uuid", "uuid_generate_v4",
];

/// The words after which a name and a parenthesis are a table and its columns.
const BEFORE_A_TABLE: [&str; 5] = ["references", "on", "only", "table", "exists"];

/// Strings that the server reads as the time of the transaction, when it reads the statement.
const TIMES: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

impl<'t> Words<'t> {
    /// Word number `at` without the quotes of a name or a string.
    fn bare(&self, at: usize) -> &'t str {
        self.word(at).trim_matches(['"', '\''])
    }

    /// Whether one of `kinds` is what a `CREATE` creates, after its options.
    fn makes(&self, kinds: &[&str]) -> bool {
        const OPTIONS: [&str; 8] =
            ["OR", "REPLACE", "UNIQUE", "UNLOGGED", "RECURSIVE", "CONSTRAINT", "LOCAL", "GLOBAL"];
        let kind = (1..self.tokens.len()).map(|at| self.word(at)).find(|word| !is(word, &OPTIONS));
        kind.is_some_and(|kind| is(kind, kinds))
    }

    /// Whether one word is directly followed by the other.
    fn pair(&self, one: &str, other: &str) -> bool {
        (1..self.tokens.len())
            .any(|at| is(self.word(at - 1), &[one]) && is(self.word(at), &[other]))
    }

    /// Whether it brings in code that runs for statements of others.
    fn watches(&self) -> bool {
        self.pair("EVENT", "TRIGGER")
    }

    /// Whether a body that is a string, or the statement around it, has words that do.
    fn body_watches(&self) -> bool {
        let start = self.tokens.first().map_or(0, |token| token.start);
        let end = self.tokens.last().map_or(start, |token| token.end);
        let body = self.text.get(start..end).unwrap_or_default();
        let words = body.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let mut before = "";
        words.filter(|word| !word.is_empty()).any(|word| {
            let before = std::mem::replace(&mut before, word);
            let pair = |one: &str, other: &str| is(before, &[one]) && is(word, &[other]);
            pair("EVENT", "TRIGGER")
                || pair("CREATE", "EXTENSION")
                // A value of an enum, or a frozen row, that only the transaction that made its type or table can
                // have.
                || pair("ADD", "VALUE")
                || is(word, &["FREEZE"])
                // Another session does not see what the transaction made, and waits for it.
                || word.get(..6).is_some_and(|start| is(start, &["dblink"]))
        })
    }

    /// Whether it can run code that the text of the statement does not show, or depends on the time.
    fn may_run(&self) -> bool {
        self.has_now() || !self.called().all(|name| is(name, &QUIET_CALLS))
    }

    /// Whether it depends on the time, other than by a call.
    fn has_now(&self) -> bool {
        const CLOCKS: [&str; 5] =
            ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP"];
        self.reads_now() || self.tokens.iter().any(|token| is(token.text(self.text), &CLOCKS))
    }

    /// Whether a string can be a time that the server reads with the statement.
    fn reads_now(&self) -> bool {
        let is_string =
            |token: &&Token| matches!(token.kind, TokenKind::String | TokenKind::EscapeString);
        self.tokens.iter().filter(is_string).any(|token| {
            let words = token.text(self.text).split(|c: char| !c.is_ascii_alphabetic());
            words.into_iter().any(|word| is(word, &TIMES))
        })
    }

    fn unless_now(&self, otherwise: Sharing) -> Sharing {
        if self.reads_now() { Sharing::Last } else { otherwise }
    }

    fn unless_run(&self) -> Sharing {
        if self.may_run() { Sharing::Last } else { Sharing::Shares }
    }

    /// The names before parentheses that are not those of tables.
    fn called(&self) -> impl Iterator<Item = &'t str> {
        let is_name =
            |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let called = move |at: usize| {
            let opens = self.tokens.get(at + 1)?.kind == TokenKind::Open;
            (opens && is_name(&self.tokens[at])).then_some(())?;
            let mut first = at;
            while first >= 2 && self.word(first - 1) == "." {
                first -= 2;
            }
            let before = first.checked_sub(1).map_or("", |before| self.word(before));
            let is_table = is(before, &BEFORE_A_TABLE);
            let is_builtin = first == at || is(self.word(first), &["pg_catalog", "public"]);
            let name = if is_builtin { self.bare(at) } else { "." };
            (!is_table).then_some(name)
        };
        (0..self.tokens.len()).filter_map(called)
    }

    /// Whether a `SELECT` only sets sequences to what its rows have.
    fn sets_sequences_only(&self) -> bool {
        const OF_SEQUENCES: [&str; 6] =
            ["setval", "pg_get_serial_sequence", "max", "coalesce", "greatest", "nextval"];
        self.called().all(|name| is(name, &OF_SEQUENCES) || is(name, &QUIET_CALLS))
            && self.called().any(|name| is(name, &["setval"]))
            && !self.tokens.iter().any(|token| is(token.text(self.text), &["INTO"]))
    }
}

fn is(word: &str, one_of: &[&str]) -> bool {
    one_of.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests;
