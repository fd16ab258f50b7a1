//! Many schemas with a ledger each: new ones, nothing pending, and one new migration in each.
//! None of the other libraries has a call for this.

use std::convert::Infallible;
use std::time::Instant;

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator};
use tempfile::TempDir;

use super::{Extent, micros};
use crate::record::{Recorder, Sample};
use crate::setup::{Setup, connect};

const FILES: [(&str, &str); 3] = [
    ("1_a.sql", "CREATE TABLE {{tables.a}} (id int PRIMARY KEY);"),
    ("2_b.sql", "CREATE INDEX ON {{tables.a}} (id);"),
    ("3_c.sql", "ALTER TABLE {{tables.a}} ADD c int;"),
];

/// Connections at once.
pub const CONCURRENCY: usize = 8;

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    let count: usize = extent.pick(10_000, 1_000);
    let schemas: Vec<String> = (0..count).map(|number| format!("tenant_{number:05}")).collect();
    let (two, three) = (set(2), set(3));
    let database = setup.database().await;
    let config = setup.config(&database);
    for (situation, set) in
        [("new schemas", &two), ("nothing pending", &two), ("one new migration", &three)]
    {
        let migrator = Migrator::new(set).create_schema();
        let get = || async { Ok::<_, Infallible>(Box::new(connect(&config).await)) };
        let tenants = Tenants::new(&migrator).concurrency(CONCURRENCY);
        let begun = Instant::now();
        let report = tenants.run(&schemas, get, |_| {}).await.expect("a run");
        let wall = micros(begun.elapsed());
        let pending = situation != "nothing pending";
        let expected = if pending { (count, 0) } else { (0, count) };
        assert_eq!((report.migrated.len(), report.up_to_date.len()), expected, "{report}");
        let sample = Sample::default().key("schemas", &count).key("situation", situation);
        out.push(sample.number("wall_us", wall).number("messages", report.messages));
    }
    setup.drop(&database).await;
}

/// The set of the first so many files.
fn set(count: usize) -> Migrations {
    let folder = TempDir::new().expect("a folder");
    for (name, sql) in &FILES[..count] {
        std::fs::write(folder.path().join(name), sql).expect("a file to write");
    }
    from_folder(folder.path(), &SetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}
