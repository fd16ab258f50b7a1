//! What a developer waits for: `cargo check` of a crate to which one migration was added, and, as the
//! floor that cargo itself sets, of one to which nothing happened.

use std::time::Instant;

use super::{Extent, micros, turn};
use crate::crates::{Crate, shared, succeed};
use crate::peer::Peer;
use crate::record::{Recorder, Sample};
use crate::set;

pub(super) fn measure(extent: Extent, out: &mut Recorder) {
    let sizes: &[usize] = extent.pick(&[10, 200, 1000, 5000], &[200, 1000]);
    for size in sizes {
        let set = set::generated(*size);
        let crates = Peer::ALL.map(|peer| (peer, Crate::of("check", peer, &set)));
        for (_, made) in &crates {
            succeed(&made.cargo(&["check"], &shared()), &made.name);
        }
        for repetition in 0..extent.pick(5, 3) {
            for (peer, made) in turn(&crates, repetition) {
                let sample = Sample::default().key("set", &set.name).key("peer", peer.name());
                let nothing = check(&made);
                set::script(size + repetition + 1).write(peer, &made.migrations());
                out.push(sample.number("wall_us", check(&made)).number("nothing_us", nothing));
            }
        }
    }
}

fn check(made: &Crate) -> f64 {
    let begun = Instant::now();
    let output = made.cargo(&["check"], &shared());
    let wall = micros(begun.elapsed());
    succeed(&output, &made.name);
    wall
}
