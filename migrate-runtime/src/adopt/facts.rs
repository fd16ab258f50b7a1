//! What has to be known of a table to adopt from it: where it is, and how its rows lead to migrations. A known
//! tool is a row of [`tools`](super::tools); a caller describes any other table.

use migrate_set::sql::placeholder::quoted_identifier;

use super::digest::Digest;
use crate::outcome::UNNAMED;
use crate::sql::{check_table, literal, utc};

/// The facts of one table. SQL in them names the table `t`; an empty text is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The tool's name.
    pub(super) name: &'static str,
    /// The schema, if the tool has one of its own.
    pub(super) schema: Option<&'static str>,
    pub(super) table: &'a str,
    /// What leads from a row to a migration, and how.
    pub(super) key: (Key, &'a str),
    /// The checksum of a row, and over what it is.
    pub(super) checksum: Option<(Digest, &'a str)>,
    /// The time when a migration ran.
    pub(super) time: &'a str,
    /// What a row means, as a word of [`State`](super::row::State); a migration that ran if it is empty.
    pub(super) state: &'a str,
    /// Other columns of [`Row`](super::row::Row).
    pub(super) others: &'a str,
    /// The rows that count; `{module}` is the module as a literal, or NULL.
    pub(super) only: &'a str,
    /// The order in which the tool applied the migrations; that of the set if it is empty.
    pub(super) order: &'a str,
    /// The module whose rows count if the caller names none.
    pub(super) module: Option<&'static str>,
}

/// How a key leads to a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// It is a version.
    Version,
    /// It is the path, the name or the stem of a file, or what follows the version there, or a version.
    File,
    /// What follows the version in a file's name begins with it.
    Revision,
    /// The checksum leads there; if it does not, the key does as that of a file.
    Checksum,
}

/// What most tables do not have.
pub(super) const NOTHING: Facts<'static> = Facts {
    name: UNNAMED,
    schema: None,
    table: "",
    key: (Key::Version, "t.version"),
    checksum: None,
    time: "",
    state: "",
    others: "",
    only: "",
    order: "",
    module: None,
};

impl Facts<'_> {
    /// Reads the table in the order in which the tool applied the migrations, after the check that it can be trusted.
    pub(super) fn select(&self, schema: &str, table: &str, module: Option<&str>) -> String {
        let check = check_table(schema, table);
        let (schema, table) = (quoted_identifier(schema), quoted_identifier(table));
        let (key, alias) = match self.key {
            (Key::Version, key) => (key, "version"),
            (_, key) => (key, "file"),
        };
        let time = match self.time {
            "" => String::new(),
            time => format!("{} AS applied_at", utc(&format!("({time})::pg_catalog.timestamptz"))),
        };
        let checksum = self.checksum.map(|(_, sql)| format!("{sql} AS checksum"));
        let state = (!self.state.is_empty()).then(|| format!("{} AS state", self.state));
        let (checksum, state) = (checksum.unwrap_or_default(), state.unwrap_or_default());
        let columns = [&format!("{key} AS {alias}"), &checksum, &state, self.others, &time];
        let columns = columns.map(str::to_owned).into_iter().filter(|sql| !sql.is_empty());
        let columns = columns.collect::<Vec<_>>().join(", ");
        let module = module.map_or_else(|| "NULL".to_owned(), literal);
        let after = [(" WHERE ", self.only), (" ORDER BY ", self.order)];
        let after = after.into_iter().filter(|(_, sql)| !sql.is_empty());
        let rows = after.flat_map(|(word, sql)| [word, sql]).collect::<String>();
        let rows = rows.replace("{module}", &module);
        format!("{check}; SELECT {columns} FROM {schema}.{table} t{rows}")
    }
}
