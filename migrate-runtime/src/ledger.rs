//! Decides what the ledger table looks like and how it is read and written: all SQL that names it.
//! A table's name and plain data go in, SQL text comes out; rows go in, [`Entry`] values come out.
//! It sends nothing on purpose. Every name is quoted, every value is a literal, and every function
//! is called by its schema, whatever a migration did to the `search_path`.

use migrate_core::checksum::ALGORITHM;
use migrate_core::ledger::Entry;
use migrate_core::name::Kind;
use migrate_core::set::Migration;
use migrate_core::sql::placeholder::quoted_identifier;
use migrate_core::version::Version;
use tokio_postgres::SimpleQueryRow;

/// The table of what ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    schema: String,
    table: String,
    /// Both, quoted, with the dot between.
    quoted: String,
    module: String,
}

/// The schema and the table of a ledger whose caller names neither.
pub(crate) const DEFAULT_SCHEMA: &str = "public";
pub(crate) const DEFAULT_TABLE: &str = "migration_ledger";

/// What the read of the ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The entries of the set's module.
    pub(crate) entries: Vec<Entry>,
    /// The highest position of any module; 0 in an empty ledger.
    pub(crate) last_position: i64,
    /// Whether the table exists.
    pub(crate) exists: bool,
}

impl Ledger {
    pub(crate) fn new(schema: &str, table: &str, module: &str) -> Ledger {
        let quoted = format!("{}.{}", quoted_identifier(schema), quoted_identifier(table));
        let (schema, table) = (schema.to_owned(), table.to_owned());
        Ledger { schema, table, quoted, module: module.to_owned() }
    }

    /// The table as messages name it.
    pub(crate) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// The advisory lock of this ledger: one key a table, the same for every module and binary.
    ///
    /// FNV-1a over the quoted name. Frozen: binaries of different age must agree on it.
    pub(crate) fn lock_key(&self) -> i64 {
        let bytes = self.quoted.bytes();
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        hash.cast_signed()
    }

    /// Reads the entries of the module, and the last position of all: at least one row.
    pub(crate) fn read(&self) -> String {
        let Ledger { quoted, module, .. } = self;
        let module = literal(module);
        format!(
            "SELECT l.last, e.version, e.kind, e.name, e.filename, e.checksum, \
             e.checksum_algorithm, e.\"position\", pg_catalog.to_char(e.applied_at AT TIME ZONE \
             'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS applied_at, e.execution_ms, \
             e.applied_by, e.progress FROM (SELECT pg_catalog.max(\"position\") AS last \
             FROM {quoted}) l LEFT JOIN {quoted} e ON e.module = {module} ORDER BY e.\"position\""
        )
    }

    /// The columns of whatever table has the ledger's name: one row each, none without a table.
    pub(crate) fn columns(&self) -> String {
        format!(
            "SELECT a.attname FROM pg_catalog.pg_attribute a \
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped \
             ORDER BY a.attnum",
            literal(&self.schema),
            literal(&self.table)
        )
    }

    pub(crate) fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (\
             module text NOT NULL, version text NOT NULL, kind text NOT NULL, \
             name text NOT NULL, filename text NOT NULL, checksum text, \
             checksum_algorithm text NOT NULL, \"position\" bigint NOT NULL UNIQUE, \
             applied_at timestamptz NOT NULL, execution_ms bigint NOT NULL, \
             applied_by text NOT NULL, down_sql text, progress integer, \
             PRIMARY KEY (module, version))",
            self.quoted
        )
    }

    /// The expression of the ledger's last position, for the guard.
    pub(crate) fn last_position(&self) -> String {
        let quoted = &self.quoted;
        format!("(SELECT COALESCE(pg_catalog.max(\"position\"), 0) FROM {quoted})")
    }

    /// Records `migration` at `position`; returns its `execution_ms`.
    ///
    /// `progress` is for an unfinished migration. An entry that is there already belongs to a
    /// repeatable migration or to an unfinished one, and is replaced.
    pub(crate) fn record(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        position: i64,
        progress: Option<usize>,
    ) -> String {
        let values = [
            literal(&self.module),
            literal(migration.version().as_str()),
            literal(migration.kind().as_str()),
            literal(migration.name()),
            literal(migration.filename()),
            literal(&migration.checksum().to_string()),
            literal(ALGORITHM),
            position.to_string(),
            "pg_catalog.clock_timestamp()".to_owned(),
            ELAPSED_MS.to_owned(),
            "session_user".to_owned(),
            down_sql.map_or_else(|| "NULL".to_owned(), literal),
            progress.map_or_else(|| "NULL".to_owned(), |done| done.to_string()),
        ];
        format!(
            "INSERT INTO {} AS l (module, version, kind, name, filename, checksum, \
             checksum_algorithm, \"position\", applied_at, execution_ms, applied_by, down_sql, \
             progress) VALUES ({}) ON CONFLICT (module, version) DO UPDATE SET \
             name = excluded.name, filename = excluded.filename, checksum = excluded.checksum, \
             checksum_algorithm = excluded.checksum_algorithm, \
             \"position\" = excluded.\"position\", applied_at = excluded.applied_at, \
             execution_ms = excluded.execution_ms, applied_by = excluded.applied_by, \
             down_sql = excluded.down_sql, progress = excluded.progress \
             WHERE l.kind = 'repeatable' OR l.progress IS NOT NULL RETURNING execution_ms",
            self.quoted,
            values.join(", ")
        )
    }

    /// Notes that `done` statements of an unfinished migration took effect.
    pub(crate) fn progress(&self, migration: &Migration, done: usize) -> String {
        format!("UPDATE {} SET progress = {done} WHERE {}", self.quoted, self.key_of(migration))
    }

    /// Turns an unfinished entry into a finished one of the text that finished it.
    pub(crate) fn finish(&self, migration: &Migration, execution_ms: u128) -> String {
        format!(
            "UPDATE {} SET progress = NULL, checksum = {}, \
             applied_at = pg_catalog.clock_timestamp(), execution_ms = {execution_ms} WHERE {}",
            self.quoted,
            literal(&migration.checksum().to_string()),
            self.key_of(migration)
        )
    }

    /// Changes nothing and writes to the log all the same: its synchronous commit makes every
    /// earlier asynchronous one durable.
    pub(crate) fn touch(&self) -> String {
        let quoted = &self.quoted;
        format!(
            "UPDATE {quoted} SET execution_ms = execution_ms WHERE \"position\" = {}",
            self.last_position()
        )
    }

    fn key_of(&self, migration: &Migration) -> String {
        let version = literal(migration.version().as_str());
        format!("module = {} AND version = {version}", literal(&self.module))
    }
}

/// Milliseconds since the guard of the same transaction noted the time; 0 where a migration
/// wiped the note (`RESET ALL`).
const ELAPSED_MS: &str = "COALESCE(((EXTRACT(epoch FROM pg_catalog.clock_timestamp()) - \
     NULLIF(pg_catalog.current_setting('migrate.started', true), '')::pg_catalog.numeric) \
     * 1000)::pg_catalog.int8, 0)";

/// Notes the time for [`ELAPSED_MS`], as an expression.
pub(crate) const NOTE_START: &str = "pg_catalog.set_config('migrate.started', \
     EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.text, true)";

/// `text` as a literal that reads the same whatever `standard_conforming_strings` is.
pub(crate) fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

impl Contents {
    /// Takes one row of [`Ledger::read`].
    ///
    /// # Errors
    /// The name of the column whose value is none that we would have written.
    pub(crate) fn take(&mut self, row: &SimpleQueryRow) -> Result<(), &'static str> {
        self.exists = true;
        if let Some(last) = row.get("last") {
            self.last_position = last.parse().map_err(|_| "position")?;
        }
        let Some(version) = row.get("version") else { return Ok(()) };
        let text = |column| row.get(column).unwrap_or_default().to_owned();
        let number = |column| row.get(column).and_then(|text| text.parse::<i64>().ok());
        let progress = match row.get("progress") {
            None => None,
            Some(done) => Some(done.parse().map_err(|_| "progress")?),
        };
        self.entries.push(Entry {
            version: Version::new(version.to_owned()),
            kind: match row.get("kind") {
                Some("versioned") => Kind::Versioned,
                Some("repeatable") => Kind::Repeatable,
                _ => return Err("kind"),
            },
            name: text("name"),
            filename: text("filename"),
            checksum: row.get("checksum").map(str::to_owned),
            checksum_algorithm: text("checksum_algorithm"),
            position: number("position").ok_or("position")?,
            applied_at: text("applied_at"),
            execution_ms: number("execution_ms").ok_or("execution_ms")?,
            applied_by: text("applied_by"),
            progress,
        });
        Ok(())
    }
}
