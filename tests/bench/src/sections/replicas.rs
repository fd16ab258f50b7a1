//! Many processes that boot at one moment, on an empty database and on one that is up to date: the time
//! until the last is up. One that fails is started again at once, as an orchestrator does; how many
//! failed is counted, and what the server logs as an error, and how long after the first the last is up: the first one
//! has committed all. Messages are counted in a round of their own through the proxy.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Extent, count, micros, programs, turn};
use crate::program::{Waiting, boot};
use crate::record::{Recorder, Sample};
use crate::set;
use crate::setup::{Line, Setup};

/// Processes at once.
pub const REPLICAS: usize = 32;

/// How many migrations they apply.
pub const SIZE: usize = 200;

/// How often one is started again at most.
const STARTS: usize = 50;

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    let programs = programs(&set::generated(SIZE));
    for repetition in 0..extent.pick(5, 2) {
        for (peer, program) in turn(&programs, repetition) {
            let database = setup.database().await;
            for situation in ["empty", "up to date"] {
                setup.settle().await;
                let before = setup.errors();
                let round = round(&program, &setup.direct(), &database);
                let errors = count((setup.errors() - before) as u64);
                let sample = Sample::default().key("situation", situation).key("peer", peer.name());
                out.push(round.numbers(sample).number("errors", errors));
            }
            setup.drop(&database).await;
        }
    }
    for (peer, program) in &programs {
        let proxy = setup.proxy(Duration::ZERO);
        let database = setup.database().await;
        for situation in ["empty", "up to date"] {
            round(program, &Line::through(&proxy), &database);
            let sample = Sample::default().key("situation", situation).key("peer", peer.name());
            out.push(sample.number("turns", count(proxy.take().turns)));
        }
        setup.drop(&database).await;
    }
}

struct Round {
    wall: Duration,
    /// From when the first was up.
    after_first: Duration,
    failures: usize,
}

impl Round {
    fn numbers(&self, sample: Sample) -> Sample {
        let failures = u32::try_from(self.failures).unwrap_or(u32::MAX);
        sample
            .number("wall_us", micros(self.wall))
            .number("after_first_us", micros(self.after_first))
            .number("failures", failures)
    }
}

fn round(program: &Path, line: &Line, database: &str) -> Round {
    let waiting: Vec<Waiting> =
        (0..REPLICAS).map(|_| Waiting::start(program, line, database)).collect();
    let begun = Instant::now();
    let ended: Vec<(Duration, usize)> = thread::scope(|scope| {
        let replicas = waiting.into_iter().map(|replica| {
            scope.spawn(move || {
                let mut outcome = replica.go();
                let mut failures = 0;
                while let Err(error) = outcome {
                    failures += 1;
                    assert!(failures < STARTS, "it never comes up: {error}");
                    outcome = boot(program, line, database);
                }
                (begun.elapsed(), failures)
            })
        });
        let replicas: Vec<_> = replicas.collect();
        replicas.into_iter().map(|replica| replica.join().expect("a replica")).collect()
    });
    let wall = ended.iter().map(|(up, _)| *up).max().unwrap_or_default();
    let first = ended.iter().map(|(up, _)| *up).min().unwrap_or_default();
    let failures = ended.iter().map(|(_, failures)| failures).sum();
    Round { wall, after_first: wall - first, failures }
}
