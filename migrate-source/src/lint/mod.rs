//! Finds statements that lock a table for long, break the running version of the program, or make a
//! setting that does not last.
//!
//! The lints read tokens, and ask what is known of the schema before each statement; they do not know the
//! size of a table. Tables that the script itself creates are exempt,
//! because they are empty. The bodies of routines and `DO` blocks are not checked.

pub(crate) mod alter;
pub(crate) mod partition;
mod setting;
pub(crate) mod known;
pub(crate) mod retype;
mod rewrite;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use known::{Knowledge, Nothing, Use};
use migrate_set::set::TransactionMode;
use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::{Statement, split};
use migrate_set::sql::words::{TableName, TableNames, Words};

/// The lock of most forms of `ALTER TABLE`, and of `DROP TABLE`: it blocks also reads.
const ACCESS_EXCLUSIVE: &str = "an ACCESS EXCLUSIVE";

/// Declares the lints: each with its name, what happens when such a statement runs, and a safer alternative.
macro_rules! lints {
    ($(#[$attribute:meta])* pub enum $enum:ident {
        $($(#[$doc:meta])* $lint:ident = $name:literal, $message:literal, $help:literal;)*
    }) => {
        $(#[$attribute])*
        pub enum $enum { $($(#[$doc])* $lint),* }

        impl $enum {
            /// All lints.
            pub const ALL: &'static [$enum] = &[$($enum::$lint),*];

            const fn texts(self) -> [&'static str; 3] {
                match self { $($enum::$lint => [$name, $message, $help]),* }
            }
        }
    };
}

lints! {
/// What a finding reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// An index that is built while writes are blocked.
    IndexNotConcurrent = "index-not-concurrent",
        "writes to the table are blocked while this index is built",
        "use CREATE INDEX CONCURRENTLY, in its own migration that begins with \
         `-- migrate:no-transaction`";
    /// A new NOT NULL column without a value for existing rows.
    NotNullWithoutDefault = "not-null-without-default",
        "existing rows have no value for this column, and the running version, which does \
         not know the column, cannot insert",
        "give it a DEFAULT, or add it without NOT NULL and fill it first";
    /// A new column with a different value in each row, which rewrites the table.
    VolatileDefault = "volatile-default",
        "each row gets its own value for this column, so the table is rewritten while \
         reads and writes are blocked",
        "add it without the default, set the default for new rows, and fill the existing \
         rows later";
    /// A table whose rows are all written again.
    TableRewritten = "table-rewritten",
        "the table is rewritten while reads and writes are blocked",
        "make a new table as this one should be, fill it in batches, then rename both";
    /// A column whose type changes.
    ColumnTypeChange = "column-type-change",
        "a type change can rewrite the table while reads and writes are blocked, and can \
         break the running version",
        "add a column of the new type, write both, fill the new one, then drop the old one";
    /// A column that becomes NOT NULL, which scans all rows.
    SetNotNull = "set-not-null",
        "all rows are scanned while reads and writes are blocked",
        "first ADD CONSTRAINT c CHECK (column IS NOT NULL) NOT VALID and, in a later \
         migration, VALIDATE CONSTRAINT c";
    /// A constraint that scans all rows.
    ConstraintNotValid = "constraint-not-valid",
        "all rows are checked against this constraint while the table is locked",
        "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration";
    /// A unique constraint that builds its index while reads and writes are blocked.
    UniqueWithoutIndex = "unique-without-index",
        "reads and writes are blocked while the index of this constraint is built",
        "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT ... USING INDEX";
    /// A renamed table.
    TableRenamed = "table-renamed",
        "the running version cannot find the table by its old name",
        "leave a view under the old name until no version uses it";
    /// A renamed column.
    ColumnRenamed = "column-renamed",
        "the running version cannot find the column by its old name",
        "add the new column, write both, drop the old one later";
    /// A dropped table.
    TableDropped = "table-dropped",
        "the running version may still use this table",
        "drop it after the last release that uses it, and name the first one that does not: \
         `-- migrate:phase contract after RELEASE`";
    /// A dropped column.
    ColumnDropped = "column-dropped",
        "the running version may still use this column",
        "drop it after the last release that uses it, and name the first one that does not: \
         `-- migrate:phase contract after RELEASE`";
    /// A setting of the session that ends with the migration.
    SessionSetting = "session-setting",
        "this setting ends with the migration: the run restores the session after it",
        "use SET LOCAL, and repeat it in each file that needs it";
    /// A foreign key without an index on its columns.
    ForeignKeyWithoutIndex = "foreign-key-without-index",
        "no index begins with the columns of this foreign key, so a DELETE in the other table reads all \
         of this one",
        "create an index on them, also in a later migration";
    /// A table or column that something still reads.
    StillRead = "still-read",
        "a view or a function still reads what is dropped, renamed or gets another type",
        "change or drop what reads it first";
    /// A down script that does not undo its up script.
    DownIncomplete = "down-incomplete",
        "the down script does not leave the schema as it was before the up script",
        "undo in it all that the up script does";
    /// A down script that names something that is not there when it runs.
    DownFails = "down-fails",
        "the down script names something that is not there when it runs",
        "write it for the schema as the up script leaves it";
}
}

impl Lint {
    /// Whether it only concerns releases that still run, so that `-- migrate:phase contract` answers it.
    pub const fn is_contract(self) -> bool {
        matches!(
            self,
            Lint::TableRenamed | Lint::ColumnRenamed | Lint::TableDropped | Lint::ColumnDropped
        )
    }

    /// Its name, as `-- migrate:allow NAME because REASON` spells it.
    pub const fn as_str(self) -> &'static str {
        self.texts()[0]
    }

    /// Whether it is about down scripts, which `down = complete` asks for, too.
    pub const fn is_of_down(self) -> bool {
        matches!(self, Lint::DownIncomplete | Lint::DownFails)
    }

    /// What happens when such a statement runs.
    pub const fn message(self) -> &'static str {
        self.texts()[1]
    }

    /// A safer alternative.
    pub const fn help(self) -> &'static str {
        self.texts()[2]
    }
}

/// One finding of a lint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which lint.
    pub lint: Lint,
    /// The bytes of the text; `None` for the whole script.
    pub span: Option<Range<usize>>,
    /// What happens, and to what.
    pub message: String,
    /// A safer alternative.
    pub help: &'static str,
}

impl Finding {
    /// A finding with the help of its lint.
    pub(crate) fn new(lint: Lint, span: Option<Range<usize>>, message: String) -> Finding {
        Finding { lint, span, message, help: lint.help() }
    }
}

/// All findings in `statements`, the statements of `text` in the order in which they run in `mode`.
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
    let mut script = Script::of(mode);
    for statement in statements {
        script.read(text, statement, &Nothing);
    }
    script.findings
}

/// What is known about a script up to some statement.
pub(crate) struct Script {
    mode: TransactionMode,
    pub(crate) findings: Vec<Finding>,
    /// Tables, materialized views and domains that it created.
    created: TableNames,
    /// Columns that it added, each with its tables, which existed before.
    added: HashMap<String, TableNames>,
    /// Tables with a constraint that it validated.
    validated: TableNames,
    /// Whether a setting was reported.
    has_set: bool,
}

impl Script {
    /// A script before its first statement.
    pub(crate) fn of(mode: TransactionMode) -> Script {
        Script {
            mode,
            findings: Vec::new(),
            created: TableNames::default(),
            added: HashMap::new(),
            validated: TableNames::default(),
            has_set: false,
        }
    }

    /// Reads the next statement, a part of `text`, with what is known before it runs.
    pub(crate) fn read(&mut self, text: &str, statement: &Statement<'_>, known: &dyn Knowledge) {
        Reading { script: self, text, known }.read(Words::of(text, statement));
        // Outside a transaction, SET LOCAL has no effect.
        if self.mode == TransactionMode::Transactional && !self.has_set {
            self.set(Words::of(text, statement));
        }
    }

    /// Reads a statement that begins at `offset` of its script.
    pub(crate) fn read_at(&mut self, text: &str, offset: usize, known: &dyn Knowledge) {
        let (tokens, first) = (lex(text), self.findings.len());
        for statement in split(text, &tokens).unwrap_or_default() {
            self.read(text, &statement, known);
        }
        for span in self.findings.iter_mut().skip(first).filter_map(|one| one.span.as_mut()) {
            *span = offset + span.start..offset + span.end;
        }
    }

    fn found(&mut self, lint: Lint, span: Range<usize>, message: String) {
        self.findings.push(Finding::new(lint, Some(span), message));
    }
}

/// One statement of a script.
struct Reading<'r> {
    script: &'r mut Script,
    text: &'r str,
    known: &'r dyn Knowledge,
}

impl Reading<'_> {
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
        } else if words.eat("ALTER DOMAIN") {
            self.alter_domain(words);
        } else if words.eat("CLUSTER") {
            self.cluster(words);
        } else if words.eat("VACUUM") {
            self.vacuum(words);
        } else if words.eat("REINDEX") {
            self.reindex(words);
        }
    }

    fn found(&mut self, lint: Lint, span: Range<usize>) {
        self.locked(lint, lint.message(), ACCESS_EXCLUSIVE, span);
    }

    /// A finding about a statement that takes this lock (the manual, "Explicit Locking").
    fn locked(&mut self, lint: Lint, message: &str, lock: &str, span: Range<usize>) {
        self.script.found(lint, span, format!("{message}; it takes {lock} lock"));
    }

    /// What to do about the last finding, instead of what its lint says.
    fn help(&mut self, help: &'static str) {
        if let Some(last) = self.script.findings.last_mut() {
            last.help = help;
        }
    }

    /// Whether the script itself makes the table, or the domain: they share their names.
    fn is_new(&self, table: &TableName) -> bool {
        self.known.is_new(table).unwrap_or_else(|| self.script.created.may_have(table))
    }

    /// `CREATE [ temporary ... ] TABLE [ IF NOT EXISTS ] name`; a table that might already exist
    /// counts as new, unless it is known to, because the script could not rely on its columns either.
    fn create(&mut self, mut words: Words<'_>) {
        while words.eat_any(&["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "FOREIGN"]) {}
        if words.eat_any(&["TABLE", "MATERIALIZED VIEW"]) {
            words.eat("IF NOT EXISTS");
            if let Some(name) = words.name() {
                self.script.created.add(name);
            }
            if words.eat("PARTITION OF")
                && let Some(table) = words.name()
                && !words.have("DEFAULT")
            {
                self.leave_default(&table, words.span());
            }
        } else if words.eat("DOMAIN")
            && let Some(name) = words.name()
        {
            self.script.created.add(name);
        }
    }

    /// `CREATE INDEX [ CONCURRENTLY ] [ [ IF NOT EXISTS ] name ] ON [ ONLY ] table`; with ONLY the
    /// partitions, which contain the rows, get no index.
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
                let lint = Lint::IndexNotConcurrent;
                self.locked(lint, lint.message(), "a SHARE", words.span());
                self.help_partitioned(&table, partition::INDEX_OF_PARTITIONED);
            }
            _ => {}
        }
    }

    fn drop(&mut self, words: &Words<'_>) {
        for mut part in words.split_at_commas() {
            let Some(table) = part.name() else { continue };
            if !self.is_new(&table) {
                self.found(Lint::TableDropped, part.span());
                self.still_read(&table, None, &part, Use::of_drop(words));
            }
        }
    }
}
