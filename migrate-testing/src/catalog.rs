//! Reads all objects of a database and compares two of its states, object by object. It reads the
//! system catalogs, because `pg_dump` may not be installed, and no rows of tables.

use std::collections::BTreeMap;
use std::fmt;

use migrate_runtime::internal::{literal, query, rows};
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
pub(super) struct Catalog(BTreeMap<String, Object>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    /// The name of the table that it belongs to; else empty.
    parent: String,
    definition: String,
}

/// An object that differs between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// It did not exist before.
    Added {
        /// Its kind and name, such as `index public.users_email_idx`.
        object: String,
        /// Its definition in the catalogs.
        definition: String,
    },
    /// It no longer exists.
    Missing {
        /// Its kind and name.
        object: String,
        /// Its definition before.
        definition: String,
    },
    /// Its definition changed.
    Changed {
        /// Its kind and name.
        object: String,
        /// Its definition before.
        before: String,
        /// Its definition now.
        now: String,
    },
}

impl Catalog {
    /// Reads the objects of the database. It leaves the session's `search_path` empty: each name is shown
    /// with its schema, and those of the query are looked up in the system catalogs alone.
    pub(super) async fn read(client: &Client, ledgers: &[String]) -> Result<Catalog, TestError> {
        let failed = || TestError::refused("read the catalogs");
        // The query is long and its result short: compiling it costs more than running it.
        query(client, "SET search_path = ''; SET jit = off").await.map_err(failed())?;
        let columns = values(client, "read the catalogs", SUBSCRIPTION_COLUMNS).await?.concat();
        let ledgers: Vec<String> = ledgers.iter().map(|ledger| literal(ledger)).collect();
        let sql = OBJECTS.replace("{ledgers}", &ledgers.join(", "));
        let sql = sql.replace("{subscription}", &columns);
        let mut objects = BTreeMap::new();
        let read = rows(client, &sql, |row| {
            let text = |column| row.try_get(column).ok().flatten().unwrap_or_default().to_owned();
            objects.insert(text(0), Object { parent: text(1), definition: text(2) });
        });
        read.await.map_err(failed())?;
        Ok(Catalog(objects))
    }

    /// How `now` differs. What is added or missing with its table is not listed separately.
    pub(super) fn differences(&self, now: &Catalog) -> Vec<Difference> {
        let lacking = |these: &Catalog, others: &Catalog| -> Vec<(String, String)> {
            let is_lacking = |name: &String| !others.0.contains_key(name);
            let alone = |(name, object): &(&String, &Object)| {
                let with_its_table =
                    these.0.contains_key(&object.parent) && is_lacking(&object.parent);
                is_lacking(name) && !with_its_table
            };
            let found = these.0.iter().filter(alone);
            found.map(|(name, object)| (name.clone(), object.definition.clone())).collect()
        };
        let added = lacking(now, self).into_iter();
        let added = added.map(|(object, definition)| Difference::Added { object, definition });
        let missing = lacking(self, now).into_iter();
        let missing =
            missing.map(|(object, definition)| Difference::Missing { object, definition });
        let changed = self.0.iter().filter_map(|(name, was)| {
            let (before, now) = (&was.definition, &now.0.get(name)?.definition);
            let (object, before, now) = (name.clone(), before.clone(), now.clone());
            (before != now).then_some(Difference::Changed { object, before, now })
        });
        added.chain(missing).chain(changed).collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Added { object, definition } => {
                write!(f, "left behind: {object}{}", indented(definition))
            }
            Difference::Missing { object, definition } => {
                write!(f, "missing: {object}{}", indented(definition))
            }
            Difference::Changed { object, before, now } => {
                let (before, now) = (indented(before), indented(now));
                write!(f, "changed: {object}\n  before{before}\n  now{now}")
            }
        }
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

/// The differences, each on its own lines.
pub(super) fn listed(differences: &[Difference]) -> String {
    let shown = differences.iter().take(SHOWN).map(|difference| format!("\n{difference}"));
    let more = differences.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| format!("\nand {more} more"));
    shown.chain(rest).collect()
}
