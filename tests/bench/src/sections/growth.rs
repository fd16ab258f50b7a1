//! The cost of a boot with nothing pending by the length of the ledger: with entries of the set's module, and
//! with entries of another module and a set of ten. All but the first and the last are copies of one that a run wrote,
//! because 50,000 migrations take too long; the boot is checked to treat them as applied.

use std::time::{Duration, Instant};

use migrate_runtime::source::{SetOptions, Syntax, from_folder};
use migrate_runtime::{Migration, Migrations, Migrator};
use tempfile::TempDir;

use super::{Extent, micros};
use crate::record::{Recorder, Sample};
use crate::setup::{Line, Setup, connect};

/// The lengths of the ledger.
pub const LENGTHS: [usize; 6] = [10, 100, 1_000, 5_000, 10_000, 50_000];

/// The size of the set, if the entries belong to another module.
const SMALL: usize = 10;

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    for length in LENGTHS {
        for (whose, size) in [("own", length), ("another module's", SMALL)] {
            let set = set(size);
            let database = setup.database().await;
            fill(setup, &database, &set, length).await;
            setup.settle().await;
            let bench = Bench { setup, set: &set, database: &database };
            for _ in 0..extent.pick(15, 7) {
                let sample = Sample::default().key("entries", &length).key("whose", whose);
                out.push(bench.boot(sample).await);
            }
            setup.drop(&database).await;
        }
    }
}

struct Bench<'b> {
    setup: &'b Setup,
    set: &'b Migrations,
    database: &'b str,
}

impl Bench<'_> {
    /// One boot on a new connection, and one through the proxy that counts.
    async fn boot(&self, sample: Sample) -> Sample {
        let mut client = self.setup.connect(self.database).await;
        let begun = Instant::now();
        let report = Migrator::new(self.set).run(&mut client).await.expect("a boot");
        let wall = micros(begun.elapsed());
        assert_eq!((report.applied.len(), report.skipped.len()), (0, self.set.len()));
        let proxy = self.setup.proxy(Duration::ZERO);
        let mut client = connect(&Line::through(&proxy).config(self.database)).await;
        Migrator::new(self.set).run(&mut client).await.expect("a boot");
        let seen = proxy.take();
        let (turns, down) = (super::count(seen.turns), super::count(seen.down_bytes));
        sample.number("wall_us", wall).number("turns", turns).number("down_bytes", down)
    }
}

/// A set of so many migrations.
pub(super) fn set(count: usize) -> Migrations {
    let folder = TempDir::new().expect("a folder");
    for number in 1..=count {
        let path = folder.path().join(format!("{number:05}_step.sql"));
        std::fs::write(path, format!("SELECT {number};\n")).expect("a file to write");
    }
    let options = SetOptions { syntax: Syntax::Off, ..SetOptions::default() };
    from_folder(folder.path(), &options).unwrap_or_else(|error| panic!("{error}"))
}

/// Applies the set's first nine migrations, writes entries for the others but the last; where the set is smaller than
/// the ledger is to be, for migrations of another module; and applies the last.
async fn fill(setup: &Setup, database: &str, set: &Migrations, length: usize) {
    let mut client = setup.connect(database).await;
    let versions: Vec<&Migration> = set.iter().collect();
    let ninth = versions[SMALL - 2].version().as_str();
    Migrator::new(set).to(ninth).run(&mut client).await.expect("a first run");
    let module = if set.len() == length { "default" } else { "another" };
    let numbers: Vec<usize> = (SMALL..length).collect();
    for numbers in numbers.chunks(1_000) {
        let row = |number: &usize| {
            let own = versions.get(number - 1);
            let checksum = own.unwrap_or(&versions[0]).checksum();
            format!("('{number:05}', '{number:05}_step.sql', '{checksum}', {number})")
        };
        let rows: Vec<String> = numbers.iter().map(row).collect();
        let sql = format!(
            "INSERT INTO migration_ledger (module, version, kind, name, filename, checksum, \
             checksum_algorithm, \"position\", applied_at, execution_ms, applied_by) \
             SELECT '{module}', v.version, l.kind, l.name, v.filename, v.checksum, \
             l.checksum_algorithm, v.\"position\", l.applied_at, l.execution_ms, l.applied_by \
             FROM (VALUES {}) v (version, filename, checksum, \"position\"), migration_ledger l \
             WHERE l.\"position\" = 1",
            rows.join(", ")
        );
        client.batch_execute(&sql).await.expect("entries");
    }
    Migrator::new(set).run(&mut client).await.expect("a last run");
    client.batch_execute("VACUUM ANALYZE migration_ledger").await.expect("statistics");
}
