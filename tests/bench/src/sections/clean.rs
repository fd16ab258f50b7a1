//! What a build from nothing costs a small service with each library: wall and CPU time, development
//! profile; with this library also without the grammar. `tests/build-cost/run` looks closer, at more
//! profiles and feature sets.
//!
//! Cargo compiles a released dependency as a whole, but one from a path, which only this library is here,
//! incrementally. That costs it a tenth more that no user has, so nothing is compiled incrementally.

use std::fs;
use std::time::Instant;

use super::{Extent, micros, turn};
use crate::crates::{Crate, succeed, target};
use crate::peer::Peer;
use crate::record::{Recorder, Sample};
use crate::set;

/// This library with no default features.
pub const WITHOUT_GRAMMAR: &str = "without the grammar";

const BUILD: [&str; 4] = ["build", "--offline", "--config", "build.incremental=false"];

/// The unit of the times in `/proc/self/stat` (`USER_HZ`), on all of Linux's platforms.
const TICK_US: u32 = 10_000;

pub(super) fn measure(extent: Extent, out: &mut Recorder) {
    let set = set::generated(10);
    let of = |peer: Peer| (peer.name(), Crate::of("clean", peer, &set));
    let mut crates = Peer::ALL.map(of).to_vec();
    crates.push((WITHOUT_GRAMMAR, Crate::without_grammar(&set)));
    let folder = target().join("clean");
    for (_, made) in &crates {
        succeed(&made.cargo(&["fetch"], &folder), &made.name);
    }
    for repetition in 0..extent.pick(2, 1) {
        for (which, made) in turn(&crates, repetition) {
            let _ = fs::remove_dir_all(&folder);
            let (begun, before) = (Instant::now(), cpu_of_children());
            succeed(&made.cargo(&BUILD, &folder), &made.name);
            let (wall, cpu) = (micros(begun.elapsed()), cpu_of_children() - before);
            let sample = Sample::default().key("peer", which);
            out.push(sample.number("wall_us", wall).number("cpu_us", cpu));
        }
    }
    let _ = fs::remove_dir_all(&folder);
}

/// CPU time of the processes that this one has waited for, theirs included, in microseconds: the
/// fields 16 and 17 of `proc(5)`, counted after the parenthesised name.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times = fields.split_whitespace().skip(13).take(2);
    let ticks: f64 = times.flat_map(str::parse::<f64>).sum();
    ticks * f64::from(TICK_US)
}
