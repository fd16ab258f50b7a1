//! What migrations made of an empty database, as the statements that make it again: the schema with its privileges, the
//! rows, and the positions of sequences.

use migrate_set::schema::{SchemaBlock, SchemaDifference, SchemaScope, compare, script};
use migrate_set::sort::{distinct, sort_by};
use migrate_set::sql::quotes::unquoted;
use tokio_postgres::{Client, Error};

use super::schema::blocks;
use crate::sql::{owners, refreshes, rows_of, sequence, sequences, tables, written};
use crate::wire::rows;

/// How many rows one statement adds.
const ROWS: usize = 500;

/// What migrations made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    blocks: Vec<SchemaBlock>,
    /// The tables that have rows, in the order of their names, each with the beginning of the statement that adds its
    /// rows.
    tables: Vec<(String, String, Vec<String>)>,
    sequences: Vec<String>,
    refreshes: Vec<String>,
    /// What the statements do not make again, in words.
    pub left_out: Vec<String>,
}

fn scope() -> SchemaScope {
    SchemaScope::new().with_grants()
}

/// Reads a database, without these ledgers and other tools' tables.
///
/// # Errors
/// Those of the server or of the connection.
pub async fn made(client: &Client, ledgers: &[String]) -> Result<Made, Error> {
    let blocks = blocks(client, &scope(), ledgers).await?;
    let (notes, mut blocks): (Vec<_>, Vec<_>) = blocks.into_iter().partition(SchemaBlock::is_note);
    for block in blocks.iter_mut().filter(|block| has_ledger(block, ledgers)) {
        block.statements.retain(|one| !one.starts_with("CREATE SCHEMA "));
    }
    blocks.retain(|block| !block.statements.is_empty());
    let mut left_out: Vec<String> = notes.into_iter().map(|note| note.name).collect();
    left_out.extend(answers(client, &owners()).await?);
    let mut found = Vec::new();
    rows(client, &tables(), |row| found.extend(rows_of(&row))).await?;
    // Others are ledgers.
    found.retain(|one| blocks.iter().any(|block| block.kind == "table" && block.name == one.table));
    let mut tables = Vec::new();
    for one in found {
        let rows = answers(client, &one.query).await?;
        if !rows.is_empty() {
            tables.push((one.table, one.insert, rows));
        }
    }
    sort_by(&mut tables, |(one, ..), (other, ..)| one.cmp(other));
    let mut positions = Vec::new();
    for query in answers(client, &sequences()).await? {
        positions.extend(answers(client, &sequence(&query)).await?);
    }
    let refreshes = answers(client, &refreshes()).await?;
    Ok(Made { blocks, tables, sequences: positions, refreshes, left_out })
}

/// Whether it is the schema of a ledger, which is there before the first migration.
fn has_ledger(block: &SchemaBlock, ledgers: &[String]) -> bool {
    let name = unquoted(&block.name);
    let is_in =
        |ledger: &String| ledger.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
    block.kind == "schema" && ledgers.iter().any(is_in)
}

async fn answers(client: &Client, sql: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    rows(client, sql, |row| found.extend(written(&row))).await?;
    Ok(found)
}

impl Made {
    /// The statements.
    pub fn script(&self) -> String {
        let inserts = self.tables.iter().flat_map(|(_, insert, rows)| {
            let rows = rows.chunks(ROWS);
            rows.map(move |rows| format!("{insert}\n    ({});\n", rows.join("),\n    (")))
        });
        let refreshes = if self.tables.is_empty() { &[][..] } else { &self.refreshes };
        let others = self.sequences.iter().chain(refreshes).map(|sql| format!("{sql};\n"));
        let rows: String = inserts.chain(others).collect();
        script(self.blocks.clone(), &scope(), &rows)
    }

    /// How the schema differs from another, object by object.
    pub fn schema_differences(&self, other: &Made) -> Vec<SchemaDifference> {
        compare(self.blocks.clone(), other.blocks.clone(), &scope())
    }

    /// The tables whose rows differ, in whatever order they are, and the sequences if their positions do.
    pub fn differing(&self, other: &Made) -> Vec<String> {
        let sorted = |made: &Made, table: &String| {
            let found = made.tables.iter().find(|(name, ..)| name == table);
            let mut rows = found.map(|(.., rows)| rows.clone()).unwrap_or_default();
            sort_by(&mut rows, Ord::cmp);
            rows
        };
        let names = distinct(self.tables.iter().chain(&other.tables).map(|(name, ..)| name));
        let differs = |table: &&&String| sorted(self, table) != sorted(other, table);
        let tables = names.iter().filter(differs).map(|table| (**table).clone());
        let sequences = (self.sequences != other.sequences).then(|| "sequences".to_owned());
        tables.chain(sequences).collect()
    }

    /// The tables that have rows, with their number.
    pub fn tables(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tables.iter().map(|(table, _, rows)| (table.as_str(), rows.len()))
    }
}
