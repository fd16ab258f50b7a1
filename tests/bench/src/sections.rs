//! What can be measured, each kind in a module of its own.
//! A quick run has fewer repetitions and leaves the largest sets out.

mod proxy;
mod boot;
pub mod apply;
mod replicas;
mod build;
pub mod clean;
mod size;
pub mod tenants;
mod growth;
pub mod test_database;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::crates::{Crate, repository};
use crate::peer::Peer;
use crate::record::Recorder;
use crate::set::{self, Set};
use crate::setup::Setup;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Full,
    /// Enough to see whether something went wrong.
    Quick,
}

impl Extent {
    /// Its name on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Extent::Full => "full",
            Extent::Quick => "quick",
        }
    }

    /// One of two values.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Extent::Full => full,
            Extent::Quick => quick,
        }
    }
}

/// A part of the suite that can be run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What the proxy adds by itself.
    Proxy,
    /// Boots with nothing pending.
    Boot,
    /// Boots on an empty database.
    Apply,
    /// Many processes at once.
    Replicas,
    /// `cargo check` after an added migration.
    Build,
    /// A build from nothing.
    Clean,
    /// Sizes of programs.
    Size,
    /// Many schemas.
    Tenants,
    /// Long ledgers.
    Growth,
    /// A database for each test.
    TestDatabase,
}

impl Section {
    /// In the order of the page.
    pub const ALL: [Section; 10] = [
        Section::Proxy,
        Section::Boot,
        Section::Apply,
        Section::Replicas,
        Section::Build,
        Section::Clean,
        Section::Size,
        Section::Tenants,
        Section::Growth,
        Section::TestDatabase,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Proxy => "proxy",
            Section::Boot => "boot",
            Section::Apply => "apply",
            Section::Replicas => "replicas",
            Section::Build => "build",
            Section::Clean => "clean",
            Section::Size => "size",
            Section::Tenants => "tenants",
            Section::Growth => "growth",
            Section::TestDatabase => "test-database",
        }
    }

    /// The section of this name.
    pub fn named(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.name() == name)
    }

    /// Measures it.
    pub async fn measure(self, setup: &Setup, extent: Extent, out: &mut Recorder) {
        match self {
            Section::Proxy => proxy::measure(setup, extent, out).await,
            Section::Boot => boot::measure(setup, extent, out).await,
            Section::Apply => apply::measure(setup, extent, out).await,
            Section::Replicas => replicas::measure(setup, extent, out).await,
            Section::Build => build::measure(extent, out),
            Section::Clean => clean::measure(extent, out),
            Section::Size => size::measure(extent, out),
            Section::Tenants => tenants::measure(setup, extent, out).await,
            Section::Growth => growth::measure(setup, extent, out).await,
            Section::TestDatabase => test_database::measure(extent, out).await,
        }
    }
}

/// The round trips of boots.
const ROUND_TRIPS: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(20)];

/// The sets of boots: generated ones of these sizes, and the real ones.
fn sets(sizes: &[usize]) -> Vec<Set> {
    let generated = sizes.iter().map(|size| set::generated(*size));
    let real =
        set::REAL.into_iter().map(|(name, folder)| set::real(name, &repository().join(folder)));
    generated.chain(real).collect()
}

/// The largest set that refinery's program is built for: of 1,000 migrations it takes the compiler 84 s
/// of CPU time, and ever more of each further one.
const REFINERY_MOST: usize = 1_000;

/// The programs of the libraries for a set.
fn programs(set: &Set) -> Vec<(Peer, PathBuf)> {
    let builds = |peer: &Peer| *peer != Peer::Refinery || set.scripts.len() <= REFINERY_MOST;
    let peers = Peer::ALL.into_iter().filter(builds);
    peers.map(|peer| (peer, Crate::of("program", peer, set).program())).collect()
}

/// The libraries in another order each time, so that none always follows the same one.
fn turn<T: Clone>(items: &[T], repetition: usize) -> Vec<T> {
    let mut turned = items.to_vec();
    turned.rotate_left(repetition % items.len().max(1));
    turned
}

/// Builds all programs that the other sections measure.
pub fn prepare(extent: Extent) {
    for set in sets(boot::sizes(extent)) {
        let begun = Instant::now();
        programs(&set);
        eprintln!("{}: {:.0} s", set.name, begun.elapsed().as_secs_f64());
    }
    Crate::bare().program();
}

/// Microseconds.
fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A count as the number of a sample.
#[allow(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}
