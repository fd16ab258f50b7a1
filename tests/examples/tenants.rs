//! What many schemas cost: the first run over all of them, one with nothing pending, and one with a
//! single migration pending in each, in seconds and messages, and this process's peak memory.
//! `-- SCHEMAS CONCURRENCY`; the defaults are 10000 and 8.

use std::convert::Infallible;
use std::fs;

use migrate_runtime::tenants::{Tenants, TenantsReport};
use migrate_runtime::{Migrations, Migrator};
use migrate_tests::database::{FreshDatabase, connect};
use migrate_tests::sets::set;
use tokio_postgres::Config;

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE {{tables.a}} (id int PRIMARY KEY);");
const B: (&str, &str) = ("2_b.sql", "CREATE INDEX ON {{tables.a}} (id);");
const C: (&str, &str) = ("3_c.sql", "ALTER TABLE {{tables.a}} ADD c int;");

/// One line a run.
async fn measure(
    what: &str,
    config: &Config,
    set: &Migrations,
    concurrency: usize,
    schemas: &[String],
) -> TenantsReport<Infallible> {
    let migrator = Migrator::new(set).create_schema();
    let get = || async { Ok::<_, Infallible>(Box::new(connect(config).await)) };
    let tenants = Tenants::new(&migrator).concurrency(concurrency);
    let report = tenants.run(schemas, get, |_| {}).await.expect("a run");
    println!("{what}: {report}; peak memory {}", peak());
    assert!(report.failed.is_empty());
    report
}

/// The peak of this process's resident memory, if the system shows it.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |line| line.trim().to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let count: usize = arguments.next().unwrap_or(10_000);
    let concurrency = arguments.next().unwrap_or(8);
    let database = FreshDatabase::create().await;
    let config = database.config();
    let schemas: Vec<String> = (0..count).map(|number| format!("tenant_{number:05}")).collect();
    let (two, three) = (set(&[A, B]), set(&[A, B, C]));
    let first = measure("new schemas", &config, &two, concurrency, &schemas).await;
    assert_eq!(first.migrated.len(), count);
    drop(first);
    let second = measure("nothing pending", &config, &two, concurrency, &schemas).await;
    assert_eq!(second.up_to_date.len(), count);
    let third = measure("one pending each", &config, &three, concurrency, &schemas).await;
    assert_eq!(third.migrated.len(), count);
}
