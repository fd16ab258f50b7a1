//! Many schemas with a ledger each: new ones, nothing pending, and one new migration in each; and nothing pending with
//! long ledgers, which are copies of one that a run wrote, because two million migrations take too long.
//! None of the other libraries has a call for this.

use std::convert::Infallible;
use std::time::Instant;

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator};
use tempfile::TempDir;
use tokio_postgres::{Client, Config};

use super::{Extent, growth, micros};
use crate::machine::{peak, reset_peak};
use crate::record::{Recorder, Sample};
use crate::setup::{Setup, connect};

const FILES: [(&str, &str); 3] = [
    ("1_a.sql", "CREATE TABLE {{tables.a}} (id int PRIMARY KEY);"),
    ("2_b.sql", "CREATE INDEX ON {{tables.a}} (id);"),
    ("3_c.sql", "ALTER TABLE {{tables.a}} ADD c int;"),
];

/// Connections at once.
pub const CONCURRENCY: usize = 8;

/// How many migrations each schema with a long ledger has.
const LONG: usize = 200;

/// Nothing pending, with long ledgers.
pub const LONG_LEDGERS: &str = "nothing pending, 200 migrations";

/// The same as it was before: by every row, which a run up to a version reads.
pub const EVERY_ROW: &str = "the same, reading every row";

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    let count: usize = extent.pick(10_000, 1_000);
    let schemas: Vec<String> = (0..count).map(|number| format!("tenant_{number:05}")).collect();
    let (two, three) = (set(2), set(3));
    let database = setup.database().await;
    for (situation, set) in
        [("new schemas", &two), ("nothing pending", &two), ("one new migration", &three)]
    {
        let migrator = Migrator::new(set).create_schema();
        let migrated = if situation == "nothing pending" { 0 } else { count };
        let run = run(&setup.config(&database), &migrator, &schemas, migrated).await;
        out.push(run.key("situation", situation));
    }
    setup.drop(&database).await;
    let (long, database) = (growth::set(LONG), setup.database().await);
    copy_ledger(&mut setup.connect(&database).await, &long, &schemas).await;
    setup.settle().await;
    let (by_last, by_every) = (Migrator::new(&long), Migrator::new(&long).to(LONG.to_string()));
    let few = &schemas[..count / 10];
    for (situation, migrator, schemas) in
        [(LONG_LEDGERS, by_last, &*schemas), (EVERY_ROW, by_every, few)]
    {
        let run = run(&setup.config(&database), &migrator, schemas, 0).await;
        out.push(run.key("situation", situation));
    }
    setup.drop(&database).await;
}

/// Runs `migrator` for `schemas`, of which as many are migrated.
async fn run(
    config: &Config,
    migrator: &Migrator<'_>,
    schemas: &[String],
    migrated: usize,
) -> Sample {
    let get = || async { Ok::<_, Infallible>(Box::new(connect(config).await)) };
    let tenants = Tenants::new(migrator).concurrency(CONCURRENCY);
    reset_peak();
    let begun = Instant::now();
    let report = tenants.run(schemas, get, |_| {}).await.expect("a run");
    let (wall, memory) = (micros(begun.elapsed()), peak());
    let expected = (migrated, schemas.len() - migrated);
    assert_eq!((report.migrated.len(), report.up_to_date.len()), expected, "{report}");
    let sample = Sample::default().number("schemas", super::count(schemas.len() as u64));
    sample.number("wall_us", wall).number("messages", report.messages).number("memory_kib", memory)
}

/// Migrates the first of `schemas`, and gives the others a copy of its ledger.
async fn copy_ledger(client: &mut Client, set: &Migrations, schemas: &[String]) {
    let (first, others) = schemas.split_first().expect("schemas");
    let run = Migrator::new(set).schema(first).create_schema().run(client).await;
    assert_eq!(run.expect("a run").applied.len(), set.len());
    // A transaction of them takes locks on a few hundred tables and indexes.
    for some in others.chunks(100) {
        let copy = |schema: &String| {
            format!(
                "CREATE SCHEMA {schema}; CREATE TABLE {schema}.migration_ledger \
                 (LIKE {first}.migration_ledger INCLUDING ALL); \
                 INSERT INTO {schema}.migration_ledger SELECT * FROM {first}.migration_ledger;"
            )
        };
        let sql: String = some.iter().map(copy).collect();
        client.batch_execute(&sql).await.expect("ledgers");
    }
}

/// The set of the first so many files.
fn set(count: usize) -> Migrations {
    let folder = TempDir::new().expect("a folder");
    for (name, sql) in &FILES[..count] {
        std::fs::write(folder.path().join(name), sql).expect("a file to write");
    }
    from_folder(folder.path(), &SetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}
