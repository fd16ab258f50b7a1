//! A database of its own for each test, as `migrate_testing::TestDatabase` makes it on the server that all tests
//! share: an empty one to which the set is applied, against a clone of one that has it.

use std::time::{Duration, Instant};

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{Migrations, Migrator};
use migrate_testing::TestDatabase;
use tempfile::TempDir;

use super::{Extent, micros};
use crate::peer::Peer;
use crate::record::{Recorder, Sample};
use crate::set;

/// How many migrations a test's database has.
pub const SIZE: usize = 200;

/// How a test gets its database, and how long it works with it: the next clone is made meanwhile.
pub const WAYS: [(&str, Duration); 3] =
    [(APPLY, Duration::ZERO), ("clone", Duration::ZERO), ("clone", Duration::from_millis(25))];

/// The way without a template.
pub const APPLY: &str = "apply";

pub(super) async fn measure(extent: Extent, out: &mut Recorder) {
    let set = set();
    for (way, work) in WAYS {
        for _ in 0..extent.pick(40, 15) {
            let begun = Instant::now();
            let made = if way == APPLY { TestDatabase::empty() } else { TestDatabase::new(&set) };
            let database = made.unwrap_or_else(|error| panic!("{error}"));
            let connected = database.connect().await;
            let mut client = connected.unwrap_or_else(|error| panic!("{error}"));
            let cloned = micros(begun.elapsed());
            let report = Migrator::new(&set).run(&mut client).await.expect("a run");
            let applied = micros(begun.elapsed());
            assert_eq!(report.applied.len(), if way == APPLY { SIZE } else { 0 });
            tokio::time::sleep(work).await;
            drop(client);
            let begun = Instant::now();
            drop(database);
            let end = micros(begun.elapsed());
            let sample = Sample::default().key("way", way).key("work_ms", &work.as_millis());
            let wall = if way == APPLY { applied } else { cloned };
            out.push(sample.number("wall_us", wall).number("end_us", end));
        }
    }
}

fn set() -> Migrations {
    let folder = TempDir::new().expect("a folder");
    set::generated(SIZE).write(Peer::Ours, folder.path());
    from_folder(folder.path(), &SetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}
