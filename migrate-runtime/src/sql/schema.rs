//! Reads what a database has besides its rows, as rows from which `migrate_set::schema` writes statements.

use migrate_set::schema::{CatalogRow, SchemaScope};
use tokio_postgres::SimpleQueryRow;

use super::literal::literal;

/// One statement in parts. It is read with an empty `search_path`, so that each name in its answer has a schema.
const FRAGMENTS: [&str; 8] = [
    include_str!("schema_begin.sql"),
    include_str!("schema_types.sql"),
    include_str!("schema_tables.sql"),
    include_str!("schema_attached.sql"),
    include_str!("schema_routines.sql"),
    include_str!("schema_others.sql"),
    include_str!("schema_edges.sql"),
    include_str!("schema_grants.sql"),
];

/// What the answer's texts depend on, for the transaction of the message. The query is long and its answer short:
/// compiling it would cost more than running it.
const SETTINGS: [(&str, &str); 9] = [
    ("search_path", "pg_catalog, pg_temp"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    ("jit", "off"),
    // An error instead of an answer without the rows that a policy hides.
    ("row_security", "off"),
];

/// Tables in which tools record what they applied, by names that no table of a service has; this library's too,
/// of other schemas.
const TOOLS: [&str; 18] = [
    "migration_ledger",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "flyway_schema_history",
    "schema_migrations",
    "goose_db_version",
    "seaql_migrations",
    "_prisma_migrations",
    "__drizzle_migrations",
    "pgmigrations",
    "gorp_migrations",
    "alembic_version",
    "django_migrations",
    "databasechangelog",
    "databasechangeloglock",
    "_yoyo_migration",
    "_yoyo_log",
];

/// A message with the objects of the database that are in `scope`, without these ledgers and other tools' tables.
pub(crate) fn schema(scope: &SchemaScope, ledgers: &[String]) -> String {
    let mut sql = FRAGMENTS.concat();
    let either = |conditions: Vec<String>, none: &str| {
        if conditions.is_empty() {
            none.to_owned()
        } else {
            format!("({})", conditions.join(" OR "))
        }
    };
    let conditions = |names: &[String]| names.iter().map(|name| is_named(name)).collect();
    let schemas = format!(
        "{} AND NOT {}",
        either(conditions(scope.only()), "true"),
        either(conditions(scope.without()), "false")
    );
    let names =
        |names: Vec<String>| if names.is_empty() { "NULL".to_owned() } else { names.join(", ") };
    let tools = names(TOOLS.iter().copied().map(literal).collect());
    let ledgers = names(ledgers.iter().map(|ledger| literal(ledger)).collect());
    for (placeholder, value) in [("{schemas}", schemas), ("{ledgers}", ledgers), ("{tools}", tools)]
    {
        sql = sql.replace(placeholder, &value);
    }
    with_settings(&sql)
}

/// The query between statements that make the settings for its answer and restore those of the caller's transaction.
pub(super) fn with_settings(sql: &str) -> String {
    with(&SETTINGS, sql)
}

/// The same with the `search_path` of the session.
pub(super) fn with_formats(sql: &str) -> String {
    let [_, formats @ ..] = SETTINGS;
    with(&formats, sql)
}

fn with(settings: &[(&str, &str)], sql: &str) -> String {
    let own = |name: &str| format!("pg_catalog.current_setting('{name}')");
    // The items of a SELECT list are evaluated from left to right.
    let set = |(name, value): &(&str, &str)| {
        let keep = format!("pg_catalog.set_config('migrate.{name}', {}, true)", own(name));
        format!("{keep}, pg_catalog.set_config('{name}', '{value}', true)")
    };
    let restore = |(name, _): &(&str, &str)| {
        format!("pg_catalog.set_config('{name}', {}, true)", own(&format!("migrate.{name}")))
    };
    let all = |one: &dyn Fn(&(&str, &str)) -> String| {
        settings.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!("SELECT {}; {sql}; SELECT {}", all(&set), all(&restore))
}

/// Whether a schema has this name, which can end with `*`.
fn is_named(name: &str) -> String {
    match name.strip_suffix('*') {
        Some(prefix) => format!("pg_catalog.starts_with(nspname, {})", literal(prefix)),
        None => format!("nspname OPERATOR(pg_catalog.=) {}", literal(name)),
    }
}

/// One row of the answer of [`schema`]; the settings have none.
pub(crate) fn schema_row(row: &SimpleQueryRow) -> Option<CatalogRow> {
    let text = |column: &str| row.try_get(column).ok().flatten().unwrap_or_default().to_owned();
    row.columns().iter().any(|column| column.name() == "tag").then(|| CatalogRow {
        tag: text("tag"),
        id: text("id"),
        kind: text("kind"),
        name: text("name"),
        parent: text("parent"),
        text: text("body"),
        statement: text("statement"),
    })
}
