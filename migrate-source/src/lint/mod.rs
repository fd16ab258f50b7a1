//! Decides which statements of a migration lock a table for long, break the version of the program
//! that still runs while it is applied, or set what does not last.
//! The statements of one script go in, findings with their place and a safer way come out.
//! It reads tokens and no catalogue, so it does not know how large a table is, which functions of the
//! user are volatile, or what earlier migrations did; tables that the script itself creates hold
//! nothing yet and are exempt. What runs inside of routines and `DO` blocks is not looked at.

mod alter;
mod setting;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use migrate_set::set::TransactionMode;
use migrate_set::sql::split::Statement;

use words::{Name, Words};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// An index built while nobody can write.
    IndexNotConcurrent,
    /// A new column that no row has a value for.
    NotNullWithoutDefault,
    /// A new column whose values differ by row, so that every row is written again.
    VolatileDefault,
    /// A column of another type.
    ColumnTypeChange,
    /// A column that must have values from now on, which reads every row.
    SetNotNull,
    /// A constraint that reads every row.
    ConstraintNotValid,
    /// A unique constraint that builds its index while nobody can read or write.
    UniqueWithoutIndex,
    /// A table of another name.
    TableRenamed,
    /// A column of another name.
    ColumnRenamed,
    /// A table that is gone.
    TableDropped,
    /// A column that is gone.
    ColumnDropped,
    /// A setting of the session that ends with the migration.
    SessionSetting,
}

impl Lint {
    /// All there are.
    pub const ALL: &'static [Lint] = &[
        Lint::IndexNotConcurrent,
        Lint::NotNullWithoutDefault,
        Lint::VolatileDefault,
        Lint::ColumnTypeChange,
        Lint::SetNotNull,
        Lint::ConstraintNotValid,
        Lint::UniqueWithoutIndex,
        Lint::TableRenamed,
        Lint::ColumnRenamed,
        Lint::TableDropped,
        Lint::ColumnDropped,
        Lint::SessionSetting,
    ];

    /// Its name, as `-- migrate:allow NAME because REASON` spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lint::IndexNotConcurrent => "index-not-concurrent",
            Lint::NotNullWithoutDefault => "not-null-without-default",
            Lint::VolatileDefault => "volatile-default",
            Lint::ColumnTypeChange => "column-type-change",
            Lint::SetNotNull => "set-not-null",
            Lint::ConstraintNotValid => "constraint-not-valid",
            Lint::UniqueWithoutIndex => "unique-without-index",
            Lint::TableRenamed => "table-renamed",
            Lint::ColumnRenamed => "column-renamed",
            Lint::TableDropped => "table-dropped",
            Lint::ColumnDropped => "column-dropped",
            Lint::SessionSetting => "session-setting",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Lint::IndexNotConcurrent => "this index is built while nobody can write to the table",
            Lint::NotNullWithoutDefault => {
                "this column has no value for the rows that exist, and the running version, which \
                 does not know it, cannot insert"
            }
            Lint::VolatileDefault => {
                "this column has a value of its own for each row: the table is written again while \
                 nobody can read it"
            }
            Lint::ColumnTypeChange => {
                "a column of another type can have the table written again while nobody can read \
                 it, and can break the running version"
            }
            Lint::SetNotNull => "every row is read while nobody can read or write the table",
            Lint::ConstraintNotValid => {
                "every row is checked against this constraint while nobody can write to the table"
            }
            Lint::UniqueWithoutIndex => {
                "the index of this constraint is built while nobody can read or write the table"
            }
            Lint::TableRenamed => "the running version does not find a table under its old name",
            Lint::ColumnRenamed => "the running version does not find a column under its old name",
            Lint::TableDropped => "the running version may still use this table",
            Lint::ColumnDropped => "the running version may still use this column",
            Lint::SessionSetting => {
                "this setting ends with the migration: the run restores the session behind it"
            }
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Lint::IndexNotConcurrent => {
                "CREATE INDEX CONCURRENTLY, in a migration of its own that begins with \
                 `-- migrate:no-transaction`"
            }
            Lint::NotNullWithoutDefault => {
                "give it a DEFAULT, or add it without NOT NULL and fill it first"
            }
            Lint::VolatileDefault => {
                "add it without the default, set the default for new rows, fill the old ones later"
            }
            Lint::ColumnTypeChange => {
                "add a column of the new type, write both, fill it, then drop the old one"
            }
            Lint::SetNotNull => {
                "first ADD CONSTRAINT c CHECK (column IS NOT NULL) NOT VALID and, in a later \
                 migration, VALIDATE CONSTRAINT c"
            }
            Lint::ConstraintNotValid => {
                "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration"
            }
            Lint::UniqueWithoutIndex => {
                "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT ... USING INDEX"
            }
            Lint::TableRenamed => "leave a view under the old name until no version uses it",
            Lint::ColumnRenamed => "add the new column, write both, drop the old one later",
            Lint::TableDropped | Lint::ColumnDropped => {
                "drop it one release after the last version that uses it"
            }
            Lint::SessionSetting => {
                "say so with SET LOCAL, and repeat it in each file that needs it"
            }
        }
    }
}

/// One place that a lint has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which lint.
    pub lint: Lint,
    /// The bytes of the text to look at.
    pub span: Range<usize>,
    /// What happens when it runs.
    pub message: &'static str,
    /// A safer way.
    pub help: &'static str,
}

/// All findings of `statements`, the statements of `text` in the order they run; none without any.
/// What a transaction of `mode` makes of them counts too.
///
/// ```
/// # use migrate_set::{set::TransactionMode, sql::lexer::lex, sql::split::split};
/// # use migrate_source::lint::lint;
/// let text = "create index on users (name)";
/// let tokens = lex(text);
/// let found = lint(text, &split(text, &tokens).unwrap(), TransactionMode::Transactional);
/// assert_eq!(found[0].lint.as_str(), "index-not-concurrent");
/// ```
pub fn lint(text: &str, statements: &[Statement<'_>], mode: TransactionMode) -> Vec<Finding> {
    let mut script = Script::default();
    for statement in statements {
        script.read(Words::of(text, statement));
        // Outside of a transaction SET LOCAL is no way out.
        if mode == TransactionMode::Transactional && !script.has_set {
            script.set(Words::of(text, statement));
        }
    }
    script.findings
}

/// What is known of a script up to some statement.
#[derive(Default)]
struct Script {
    findings: Vec<Finding>,
    /// Tables and materialized views that it has created.
    created: Vec<Name>,
    /// Columns that it has added to tables that were there before.
    added: Vec<(Name, String)>,
    /// Tables of which it has validated a constraint.
    validated: Vec<Name>,
    /// Whether it was told that a setting does not last.
    has_set: bool,
}

impl Script {
    fn read(&mut self, mut words: Words<'_>) {
        if words.eat("CREATE") {
            words.eat("UNIQUE");
            if words.eat("INDEX") { self.index(words) } else { self.create(words) }
        } else if words.eat("DROP TABLE") {
            words.eat("IF EXISTS");
            self.drop(&words);
        } else if words.eat_any(&["ALTER TABLE", "ALTER FOREIGN TABLE", "ALTER MATERIALIZED VIEW"])
        {
            self.alter(words);
        }
    }

    fn found(&mut self, lint: Lint, span: Range<usize>) {
        self.findings.push(Finding { lint, span, message: lint.message(), help: lint.help() });
    }

    fn is_new(&self, table: &Name) -> bool {
        self.created.iter().any(|created| created.may_be(table))
    }

    /// `CREATE [ temporary ... ] TABLE [ IF NOT EXISTS ] name`; a table that may be there already
    /// counts as new, because the script would otherwise not know its columns either.
    fn create(&mut self, mut words: Words<'_>) {
        while words.eat_any(&["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "FOREIGN"]) {}
        if words.eat_any(&["TABLE", "MATERIALIZED VIEW"]) {
            words.eat("IF NOT EXISTS");
            self.created.extend(words.name());
        }
    }

    /// `CREATE INDEX [ CONCURRENTLY ] [ [ IF NOT EXISTS ] name ] ON [ ONLY ] table`; with ONLY the
    /// partitions, which hold the rows, get none.
    fn index(&mut self, mut words: Words<'_>) {
        if words.eat("CONCURRENTLY") {
            return;
        }
        words.eat("IF NOT EXISTS");
        if !words.next_are("ON") {
            words.name();
        }
        if !words.eat("ON") || words.next_are("ONLY") {
            return;
        }
        match words.name() {
            Some(table) if !self.is_new(&table) => {
                self.found(Lint::IndexNotConcurrent, words.span());
            }
            _ => {}
        }
    }

    fn drop(&mut self, words: &Words<'_>) {
        for mut part in words.split_at_commas() {
            let Some(table) = part.name() else { continue };
            if !self.is_new(&table) {
                self.found(Lint::TableDropped, part.span());
            }
        }
    }
}
