//! Reads the words between a stem and its `.sql`: direction, database, transaction.
//! Only known words count, so that a description may contain dots.

use super::{Direction, TransactionMark};

/// A name without its endings, and what the endings mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending<'a> {
    pub stem: &'a str,
    pub direction: Option<Direction>,
    pub dialect: Option<Dialect>,
    pub transaction: TransactionMark,
    pub misspelt: Option<Misspelt>,
}

/// A misspelt direction: `.DOWN`, `.rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misspelt {
    /// Where the word begins in the name, in bytes.
    pub start: usize,
    pub len: usize,
    pub meant: Direction,
}

/// The database a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    /// With the word that names it.
    Other(&'static str),
}

const POSTGRES: [&str; 5] = ["postgres", "postgresql", "pg", "pgsql", "psql"];
const OTHERS: [&str; 15] = [
    "sqlite", "sqlite3", "mysql", "cockroach", "cockroachdb", "crdb", "mariadb", "mssql",
    "sqlserver", "oracle", "h2", "duckdb", "clickhouse", "spanner", "libsql",
];
/// What pgmigrate has anywhere in the name of a file that runs outside a transaction.
const PGMIGRATE: &str = "NONTRANSACTIONAL";
const DOWN_WORDS: [&str; 5] = ["rollback", "revert", "reverse", "backward", "backwards"];

/// Strips the known words from the end of a name.
pub fn ending(name: &str) -> Ending<'_> {
    let mut found = Ending {
        stem: name,
        direction: None,
        dialect: None,
        transaction: if name.contains(PGMIGRATE) {
            TransactionMark::Autocommit
        } else {
            TransactionMark::Unmarked
        },
        misspelt: None,
    };
    while let Some((head, word)) = found.stem.rsplit_once('.') {
        if head.is_empty() || !found.take(head, word) {
            break;
        }
        found.stem = head;
    }
    found
}

impl Ending<'_> {
    fn take(&mut self, head: &str, word: &str) -> bool {
        let directed = self.direction.is_some() || self.misspelt.is_some();
        if let (false, Some(direction)) = (directed, verb(word)) {
            self.direction = Some(direction);
        } else if let (false, Some(meant)) = (directed, nearly_verb(word)) {
            self.misspelt = Some(Misspelt { start: head.len() + 1, len: word.len(), meant });
        } else if let (None, Some(dialect)) = (self.dialect, dialect(word)) {
            self.dialect = Some(dialect);
        } else if word == "autocommit" {
            self.transaction = TransactionMark::Autocommit;
        } else {
            return false;
        }
        true
    }
}

/// The direction that a word means.
pub fn verb(word: &str) -> Option<Direction> {
    match word {
        "up" | "do" => Some(Direction::Up),
        "down" | "undo" => Some(Direction::Down),
        _ => None,
    }
}

/// The direction that a word means in any case, or in another tool's words.
pub fn nearly_verb(word: &str) -> Option<Direction> {
    verb(&word.to_ascii_lowercase()).or_else(|| is_down_word(word).then_some(Direction::Down))
}

/// Whether a word means going back, other than `down` and `undo`.
pub fn is_down_word(word: &str) -> bool {
    DOWN_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The database that a word names.
pub fn dialect(word: &str) -> Option<Dialect> {
    if POSTGRES.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return Some(Dialect::Postgres);
    }
    OTHERS.into_iter().find(|known| word.eq_ignore_ascii_case(known)).map(Dialect::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let found = ending(name);
        let dialect = found.dialect.map_or(String::new(), |dialect| format!(" {dialect:?}"));
        let mark =
            if found.transaction == TransactionMark::Autocommit { " autocommit" } else { "" };
        let misspelt = found.misspelt.map_or(String::new(), |word| {
            format!(" {} is {}", &name[word.start..word.start + word.len], word.meant)
        });
        let direction = found.direction.map_or("Whole".to_owned(), |found| format!("{found:?}"));
        let shown = format!("{} {direction}{dialect}{mark}{misspelt}", found.stem);
        assert_eq!(shown, expected, "{name}");
    }

    #[test]
    fn known_words_come_off_the_end() {
        check("1_x", "1_x Whole");
        check("1_x.up", "1_x Up");
        check("1_x.down", "1_x Down");
        check("0001.do", "0001 Up");
        check("0001.undo", "0001 Down");
        check("0001.do.x", "0001.do.x Whole");
        check("1.postgres.autocommit.up", "1 Up Postgres autocommit");
        check("V1__NONTRANSACTIONAL_x", "V1__NONTRANSACTIONAL_x Whole autocommit");
        check("x.sqlite3.down", "x Down Other(\"sqlite3\")");
        check("x.PG", "x Whole Postgres");
        check("V1.2__add v1.5 of it", "V1.2__add v1.5 of it Whole");
        check("up", "up Whole");
        check(".up", ".up Whole");
        check("1.up.up", "1.up Up");
    }

    #[test]
    fn other_words_for_a_direction_are_noticed() {
        check("1_x.DOWN", "1_x Whole DOWN is down");
        check("1_x.Up", "1_x Whole Up is up");
        check("1_x.rollback", "1_x Whole rollback is down");
        check("1_x.postgres.revert", "1_x Whole Postgres revert is down");
    }
}
