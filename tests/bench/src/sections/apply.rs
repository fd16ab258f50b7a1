//! Boots on an empty database, each on one of its own, and the floors: the same text in one transaction
//! by `psql -f` and as one message. Also this library with a transaction for each migration, as it was before.
//! Far away the other libraries take minutes, nearly all of it waiting: there they run side by side, and
//! this library by itself before them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::Migrator;
use migrate_runtime::source::{SetOptions, from_folder};

use super::boot::{counted, numbers, timed};
use super::{Extent, ROUND_TRIPS, count, micros, programs, sets, turn};
use crate::crates::Crate;
use crate::peer::Peer;
use crate::program::{Took, boot, boot_with};
use crate::proxy::Traffic;
use crate::record::{Recorder, Sample};
use crate::set::Set;
use crate::setup::{Line, Setup};

/// This library with a transaction for each migration.
pub const ONE_BY_ONE: &str = "one by one";

/// Longer than any run.
pub const DEADLINE: Duration = Duration::from_secs(3_600);

/// From this round trip on the other libraries run side by side.
const FAR: Duration = Duration::from_millis(20);

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    let bare = Crate::bare().program();
    for set in sets(&[10, 200, 1000]) {
        let programs = programs(&set);
        for round_trip in ROUND_TRIPS {
            let bench = Bench { setup, set: &set, round_trip, bare: &bare };
            for repetition in 0..repetitions(extent, set.scripts.len(), round_trip) {
                bench.repeat(&programs, repetition, out).await;
            }
        }
    }
}

/// What takes longest is measured least often.
fn repetitions(extent: Extent, size: usize, round_trip: Duration) -> usize {
    let (full, quick) = match (round_trip.as_millis(), size) {
        (0, ..=200) => (11, 7),
        (0, _) | (1, ..=200) => (5, 2),
        (1, _) => (2, 0),
        (_, ..=100) => (3, 1),
        (_, ..=200) => (2, 1),
        (_, _) => (1, 0),
    };
    extent.pick(full, quick)
}

struct Bench<'b> {
    setup: &'b Setup,
    set: &'b Set,
    round_trip: Duration,
    bare: &'b Path,
}

impl Bench<'_> {
    async fn repeat(&self, programs: &[(Peer, PathBuf)], repetition: usize, out: &mut Recorder) {
        if self.round_trip >= FAR {
            self.far(programs, out).await;
        } else {
            for (peer, program) in turn(programs, repetition) {
                // What goes over the wire is the same each time.
                if !self.round_trip.is_zero() || repetition == 0 {
                    let (took, traffic) = self.through_proxy(&program).await;
                    let sample = counted(self.sample(peer.name()), traffic);
                    out.push(if self.round_trip.is_zero() { sample } else { timed(sample, took) });
                }
                if self.round_trip.is_zero() {
                    let took = self.on_an_empty_database(&program, &self.setup.direct()).await;
                    out.push(timed(self.sample(peer.name()), took));
                }
            }
        }
        // A real history may not run in one transaction: what one migration adds to an enumeration
        // cannot be used by the next.
        if self.set.is_generated() {
            self.one_message(out).await;
            if self.round_trip.is_zero() {
                self.psql(out).await;
                self.one_by_one(out).await;
            }
        }
    }

    fn sample(&self, who: &str) -> Sample {
        let sample = Sample::default().key("set", &self.set.name).key("peer", who);
        sample.key("round_trip_ms", &self.round_trip.as_millis())
    }

    /// One boot on a database of its own, with its messages.
    async fn through_proxy(&self, program: &Path) -> (Took, Traffic) {
        let proxy = self.setup.proxy(self.round_trip);
        let took = self.on_an_empty_database(program, &Line::through(&proxy)).await;
        (took, proxy.take())
    }

    async fn on_an_empty_database(&self, program: &Path, line: &Line) -> Took {
        let database = self.setup.database().await;
        self.setup.settle().await;
        let took = boot(program, line, &database).unwrap_or_else(|error| panic!("{error}"));
        self.setup.drop(&database).await;
        took
    }

    async fn far(&self, programs: &[(Peer, PathBuf)], out: &mut Recorder) {
        let (ours, others) = programs.split_first().expect("libraries");
        let (took, traffic) = self.through_proxy(&ours.1).await;
        out.push(numbers(self.sample(ours.0.name()), took, traffic));
        let mut runs = Vec::new();
        for (peer, program) in others {
            let (proxy, database) =
                (self.setup.proxy(self.round_trip), self.setup.database().await);
            let (peer, program) = (*peer, program.clone());
            let (line, name) = (Line::through(&proxy), database.clone());
            let run = thread::spawn(move || boot(&program, &line, &name));
            runs.push((peer, proxy, database, run));
        }
        for (peer, proxy, database, run) in runs {
            let took = run.join().expect("a run").unwrap_or_else(|error| panic!("{error}"));
            out.push(numbers(self.sample(peer.name()), took, proxy.take()));
            self.setup.drop(&database).await;
        }
    }

    /// The whole text as one message and one transaction, by a program without a library.
    async fn one_message(&self, out: &mut Recorder) {
        let database = self.setup.database().await;
        self.setup.settle().await;
        let proxy = self.setup.proxy(self.round_trip);
        let line =
            if self.round_trip.is_zero() { self.setup.direct() } else { Line::through(&proxy) };
        let took = boot_with(self.bare, &line, &database, &self.set.text());
        let took = took.unwrap_or_else(|error| panic!("{error}"));
        out.push(self.sample("one message").number("wall_us", count(took.migrating)));
        self.setup.drop(&database).await;
    }

    /// By this library, which shares no transaction if it has a deadline.
    async fn one_by_one(&self, out: &mut Recorder) {
        let folder = Crate::of("program", Peer::Ours, self.set).migrations();
        let set = from_folder(folder, &SetOptions::default()).expect("a set");
        let database = self.setup.database().await;
        self.setup.settle().await;
        let mut client = self.setup.connect(&database).await;
        let begun = Instant::now();
        let run = Migrator::new(&set).deadline(DEADLINE).run(&mut client).await;
        let wall = micros(begun.elapsed());
        assert_eq!(run.expect("a run").applied.len(), set.len());
        out.push(self.sample(ONE_BY_ONE).number("wall_us", wall));
        drop(client);
        self.setup.drop(&database).await;
    }

    /// The whole text by `psql`, less what `psql` takes for an empty file.
    async fn psql(&self, out: &mut Recorder) {
        let folder = tempfile::tempdir().expect("a folder");
        let (empty, text) = (folder.path().join("empty.sql"), folder.path().join("text.sql"));
        std::fs::write(&empty, "").expect("a file to write");
        std::fs::write(&text, self.set.text()).expect("a file to write");
        let database = self.setup.database().await;
        self.setup.settle().await;
        let nothing = self.run_psql(&empty, &database);
        let wall = self.run_psql(&text, &database).saturating_sub(nothing);
        out.push(self.sample("psql").number("wall_us", micros(wall)));
        self.setup.drop(&database).await;
    }

    fn run_psql(&self, file: &Path, database: &str) -> Duration {
        let mut command = Command::new(self.setup.bin("psql"));
        command.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]);
        command.arg("-h").arg(&self.setup.socket).args(["-p", &self.setup.port.to_string()]);
        let begun = Instant::now();
        let output = command.arg("-f").arg(file).output().expect("psql");
        let wall = begun.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        wall
    }
}
