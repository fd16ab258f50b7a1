//! A database of its own for each test, as `migrate_testing::TestDatabase` makes it on the server that all tests
//! share: an empty one to which the set is applied, against a clone of one that has it. The first one of a set waits
//! until the template is built.

use std::time::{Duration, Instant};

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{Migrations, Migrator};
use migrate_testing::TestDatabase;
use tempfile::TempDir;

use super::apply::{DEADLINE, ONE_BY_ONE};
use super::{Extent, micros};
use crate::peer::Peer;
use crate::record::{Recorder, Sample};
use crate::set;

/// How many migrations a test's database has.
pub const SIZE: usize = 200;

/// How a test gets its database, and how long it works with it: the next clone is made meanwhile.
pub const WAYS: [(&str, Duration); 5] = [
    (APPLY, Duration::ZERO),
    (ONE_BY_ONE, Duration::ZERO),
    (TEMPLATE, Duration::ZERO),
    (CLONE, Duration::ZERO),
    (CLONE, Duration::from_millis(25)),
];

/// The way without a template.
pub const APPLY: &str = "apply";

/// The first database of a set.
pub const TEMPLATE: &str = "template";

/// Each later one.
pub const CLONE: &str = "clone";

pub(super) async fn measure(extent: Extent, out: &mut Recorder) {
    let known = set(0);
    for (way, work) in WAYS {
        let is_new = way == TEMPLATE;
        let is_empty = [APPLY, ONE_BY_ONE].contains(&way);
        for repetition in 0..if is_new { extent.pick(10, 3) } else { extent.pick(40, 15) } {
            let set = if is_new { set(repetition + 1) } else { known.clone() };
            let begun = Instant::now();
            let made = if is_empty { TestDatabase::empty() } else { TestDatabase::new(&set) };
            let database = made.unwrap_or_else(|error| panic!("{error}"));
            let connected = database.connect().await;
            let mut client = connected.unwrap_or_else(|error| panic!("{error}"));
            let cloned = micros(begun.elapsed());
            let migrator = Migrator::new(&set);
            let migrator = if way == ONE_BY_ONE { migrator.deadline(DEADLINE) } else { migrator };
            let report = migrator.run(&mut client).await.expect("a run");
            let applied = micros(begun.elapsed());
            assert_eq!(report.applied.len(), if is_empty { SIZE } else { 0 });
            tokio::time::sleep(work).await;
            drop(client);
            let begun = Instant::now();
            drop(database);
            let end = micros(begun.elapsed());
            let sample = Sample::default().key("way", way).key("work_ms", &work.as_millis());
            let wall = if is_empty { applied } else { cloned };
            out.push(sample.number("wall_us", wall).number("end_us", end));
        }
    }
}

/// A set that no other number has, nor an earlier run of this section on the same server.
fn set(number: usize) -> Migrations {
    let folder = TempDir::new().expect("a folder");
    let mut set = set::generated(SIZE);
    let last = set.scripts.last_mut().expect("a migration");
    last.sql.push_str(&format!("SELECT {number} AS run_{};\n", std::process::id()));
    set.write(Peer::Ours, folder.path());
    from_folder(folder.path(), &SetOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}
