//! Reads all objects of a database and compares two of its states, object by object. It reads the
//! system catalogs, because `pg_dump` may not be installed, and no rows of tables.

use migrate_runtime::internal::{literal, query, rows};
use migrate_runtime::schema::SchemaDifference;
use migrate_set::schema::{Part, Parts, differences};
use tokio_postgres::Client;

use crate::database::session::values;
use crate::error::TestError;

const OBJECTS: &str = include_str!("catalog.sql");

/// The columns of `pg_subscription` that the current role may read. The others hold secrets.
const SUBSCRIPTION_COLUMNS: &str = "SELECT \
     pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ') FROM pg_catalog.pg_attribute a \
     WHERE a.attrelid OPERATOR(pg_catalog.=) 'pg_catalog.pg_subscription'::pg_catalog.regclass \
     AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 \
     AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')";

/// How many differences a message shows.
const SHOWN: usize = 20;

/// Every object of a database except its ledgers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Catalog(Parts);

impl Catalog {
    /// Prepares [`Catalog::read`] in this session, without these ledgers. The query is long and its result short: planning it takes longer
    /// than running it, and compiling it longer still.
    ///
    /// It leaves the session's `search_path` empty: each name is shown with its schema, and those of the query are
    /// looked up in the system catalogs alone.
    pub(super) async fn prepare(client: &Client, ledgers: &[String]) -> Result<(), TestError> {
        let failed = || TestError::refused("read the catalogs");
        query(client, "SET search_path = ''; SET jit = off").await.map_err(failed())?;
        let columns = values(client, "read the catalogs", SUBSCRIPTION_COLUMNS).await?.concat();
        let ledgers: Vec<String> = ledgers.iter().map(|ledger| literal(ledger)).collect();
        let sql = OBJECTS.replace("{ledgers}", &ledgers.join(", "));
        let sql = sql.replace("{subscription}", &columns);
        query(client, &format!("PREPARE objects AS {sql}")).await.map_err(failed())?;
        Ok(())
    }

    /// Reads the objects of the database, in a session that is prepared for it.
    pub(super) async fn read(client: &Client) -> Result<Catalog, TestError> {
        let mut objects = Parts::new();
        let read = rows(client, "EXECUTE objects", |row| {
            let text = |column| row.try_get(column).ok().flatten().unwrap_or_default().to_owned();
            objects.insert(text(0), Part { tables: vec![text(1)], text: text(2) });
        });
        read.await.map_err(TestError::refused("read the catalogs"))?;
        Ok(Catalog(objects))
    }

    /// How `now` differs.
    pub(super) fn differences(&self, now: &Catalog) -> Vec<SchemaDifference> {
        differences(&self.0, &now.0)
    }
}

fn shown(difference: &SchemaDifference) -> String {
    let SchemaDifference { object, expected: before, found: now } = difference;
    match (before.as_deref().map(indented), now.as_deref().map(indented)) {
        (Some(before), Some(now)) => format!("changed: {object}\n  before{before}\n  now{now}"),
        (Some(before), None) => format!("missing: {object}{before}"),
        (None, now) => format!("left behind: {object}{}", now.unwrap_or_default()),
    }
}

/// The definition after a name; several lines are indented below it.
fn indented(definition: &str) -> String {
    match definition.trim() {
        "" => String::new(),
        one if !one.contains('\n') => format!(": {one}"),
        many => format!(":\n    {}", many.replace('\n', "\n    ")),
    }
}

/// The differences, each on its own lines, and what was left behind before what is missing.
pub(super) fn listed(differences: &[SchemaDifference]) -> String {
    let (left, others): (Vec<_>, Vec<_>) =
        differences.iter().partition(|one| one.expected.is_none());
    let lines = left.into_iter().chain(others).take(SHOWN).map(|one| format!("\n{}", shown(one)));
    let more = differences.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| format!("\nand {more} more"));
    lines.chain(rest).collect()
}
