//! A schema for each tenant, which Citus places on a worker with all its tables, the ledger too.

use std::convert::Infallible;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::tenants::{Tenants, TenantsReport};
use migrate_runtime::{Error, Lock, Migrations, Migrator, Rollback};
use migrate_tests::database::value;
use migrate_tests::sets::set;

use super::Verdicts;
use super::setup::{Nodes, how_it_ended, run};

const TENANTS: usize = 50;

const FILES: [(&str, &str); 6] = [
    ("1_t.sql", "CREATE TABLE {{tables.t}} (a int PRIMARY KEY, b text);"),
    ("2_i.sql", "CREATE INDEX t_b ON {{tables.t}} (b);\nINSERT INTO {{tables.t}} VALUES (1, 'x');"),
    (
        "3_c.up.sql",
        "ALTER TABLE {{tables.t}} ADD COLUMN c int DEFAULT 1;\n\
         ALTER TABLE {{tables.t}} ALTER COLUMN c SET NOT NULL;",
    ),
    ("3_c.down.sql", "ALTER TABLE {{tables.t}} DROP COLUMN c;"),
    ("4_u.up.sql", "UPDATE {{tables.t}} SET c = c + 1;"),
    ("4_u.down.sql", "UPDATE {{tables.t}} SET c = c - 1;"),
];
const INDEX: [(&str, &str); 2] = [
    ("5_k.up.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY t_c ON {{tables.t}} (c);"),
    ("5_k.down.sql", "-- migrate:no-transaction\nDROP INDEX CONCURRENTLY {{schema}}.t_c;"),
];

pub async fn prove(nodes: &Nodes, verdicts: &mut Verdicts) {
    let client = nodes.tenants("tenants").await;
    let set = set(&[FILES.as_slice(), &INDEX].concat());
    let migrator = Migrator::new(&set).create_schema();
    let first = boot(nodes, &migrator).await;
    let second = boot(nodes, &migrator).await;
    let placed = value(&client, "SELECT count(DISTINCT schema_name) FROM citus_schemas").await;
    let wrong = "SELECT count(*) FROM citus_tables WHERE citus_table_type <> 'schema'";
    let wrong = value(&client, wrong).await;
    let once = value(&client, "SELECT min(c) || ' ' || max(c) FROM tenant_7.t").await;
    let seen = format!(
        "{} migrated, {} failed{}; {placed} placed by their schema; {} up to date at the next boot",
        first.migrated.len(),
        first.failed.len(),
        first.failed.first().map_or_else(String::new, |(_, failure)| format!(": {failure}")),
        second.up_to_date.len()
    );
    let holds = first.migrated.len() == TENANTS
        && first.failed.is_empty()
        && (wrong.as_str(), once.as_str()) == ("0", "2 2")
        && placed == TENANTS.to_string()
        && second.up_to_date.len() == TENANTS;
    verdicts.add(&format!("{TENANTS} tenants, schema-based sharding"), holds, seen);
    verbs(nodes, &set, verdicts).await;
}

async fn boot(nodes: &Nodes, migrator: &Migrator<'_>) -> TenantsReport<Infallible> {
    let names: Vec<String> = (1..=TENANTS).map(|n| format!("tenant_{n}")).collect();
    let connect = async || Ok::<_, Infallible>(Box::new(nodes.client("tenants").await));
    let report = Tenants::new(migrator).concurrency(4).run(names, connect, |_| {}).await;
    report.expect("the ledgers")
}

/// The other verbs, on a ledger that is on a worker.
async fn verbs(nodes: &Nodes, set: &Migrations, verdicts: &mut Verdicts) {
    let mut client = nodes.client("tenants").await;
    let migrator = Migrator::new(set).schema("tenant_row").create_schema().lock(Lock::Row);
    let by_row = migrator.run(&mut client).await;
    verdicts.add("a lock row in a ledger on a worker", by_row.is_ok(), how_it_ended(&by_row));

    let migrator = Migrator::new(set).schema("tenant_1");
    let undone = undo(&migrator, &mut client).await;
    let c = value(&client, "SELECT max(to_jsonb(t) ->> 'c') FROM tenant_1.t").await;
    let seen = format!("{}, c is {c}", how_it_ended(&undone));
    verdicts.add("a rollback, and once more", undone.is_ok() && c == "2", seen);

    let edited: Vec<(&str, &str)> = FILES
        .iter()
        .map(|&(name, sql)| (name, if name == "2_i.sql" { "SELECT 1;" } else { sql }))
        .collect();
    let edited = migrate_tests::sets::set(&[edited.as_slice(), &INDEX].concat());
    let edits = edit(&Migrator::new(&edited).schema("tenant_2"), &mut client).await;
    verdicts.add("accept, forget and baseline", edits.is_ok(), how_it_ended(&edits));

    run(&client, "CREATE SCHEMA tenant_other").await;
    let theirs = "CREATE TABLE tenant_other.schema_migrations (version text PRIMARY KEY)";
    run(&client, theirs).await;
    run(&client, "INSERT INTO tenant_other.schema_migrations VALUES ('1'), ('2')").await;
    let migrator = Migrator::new(set).schema("tenant_other");
    let adopted = migrator.adopt(&mut client, Adopt::Dbmate.schema("tenant_other")).await;
    let seen = adopted.as_ref().map(|report| report.amended.len());
    verdicts.add("adoption in a schema of a tenant", matches!(seen, Ok(2)), how_it_ended(&adopted));
}

async fn undo(migrator: &Migrator<'_>, client: &mut tokio_postgres::Client) -> Result<(), Error> {
    migrator.rollback(client, Rollback::to(2)).await?;
    migrator.run(client).await?;
    migrator.redo(client).await?;
    migrator.verify(client).await
}

async fn edit(migrator: &Migrator<'_>, client: &mut tokio_postgres::Client) -> Result<(), Error> {
    migrator.accept(client, "2").await?;
    migrator.forget(client, "5").await?;
    migrator.baseline(client, "5").await?;
    migrator.verify(client).await
}
