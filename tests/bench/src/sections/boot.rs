//! Boots with nothing pending, on a database that the same library has migrated.
//! At no delay the time is taken over the server's own socket and the messages are counted in a boot of
//! their own through the proxy, which would slow those down most who say most.

use std::path::Path;
use std::time::Duration;

use super::{Extent, ROUND_TRIPS, count, programs, sets, turn};
use crate::program::{Took, boot};
use crate::proxy::{Proxy, Traffic};
use crate::record::{Recorder, Sample};
use crate::set::Set;
use crate::setup::{Line, Setup};

pub(super) const fn sizes(extent: Extent) -> &'static [usize] {
    match extent {
        Extent::Full => &[10, 200, 1000, 5000],
        Extent::Quick => &[10, 200, 1000],
    }
}

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    for set in sets(sizes(extent)) {
        measure_set(setup, extent, &set, out).await;
    }
}

async fn measure_set(setup: &Setup, extent: Extent, set: &Set, out: &mut Recorder) {
    let programs = programs(set);
    let mut migrated = Vec::new();
    for (peer, program) in &programs {
        let database = setup.database().await;
        boot(program, &setup.direct(), &database).unwrap_or_else(|error| panic!("{error}"));
        migrated.push((*peer, program.clone(), database));
    }
    setup.settle().await;
    for round_trip in ROUND_TRIPS {
        let proxy = setup.proxy(round_trip);
        for repetition in 0..extent.pick(15, 9) {
            for (peer, program, database) in turn(&migrated, repetition) {
                let (took, traffic) = observe(setup, &proxy, round_trip, &program, &database);
                let sample = Sample::default().key("set", &set.name).key("peer", peer.name());
                out.push(numbers(
                    sample.key("round_trip_ms", &round_trip.as_millis()),
                    took,
                    traffic,
                ));
            }
        }
    }
    for (_, _, database) in migrated {
        setup.drop(&database).await;
    }
}

/// One boot with its messages.
fn observe(
    setup: &Setup,
    proxy: &Proxy,
    round_trip: Duration,
    program: &Path,
    database: &str,
) -> (Took, Traffic) {
    proxy.take();
    let run = |line: &Line| boot(program, line, database).unwrap_or_else(|error| panic!("{error}"));
    let through = run(&Line::through(proxy));
    let took = if round_trip.is_zero() { run(&setup.direct()) } else { through };
    (took, proxy.take())
}

/// The numbers of a boot.
pub(super) fn numbers(sample: Sample, took: Took, traffic: Traffic) -> Sample {
    counted(timed(sample, took), traffic)
}

/// Those that the program prints.
pub(super) fn timed(sample: Sample, took: Took) -> Sample {
    sample
        .number("wall_us", count(took.migrating))
        .number("connecting_us", count(took.connecting))
        .number("memory_kib", count(took.memory))
}

/// Those that the proxy counts.
pub(super) fn counted(sample: Sample, traffic: Traffic) -> Sample {
    sample
        .number("turns", count(traffic.turns))
        .number("messages", count(traffic.messages))
        .number("up_bytes", count(traffic.up_bytes))
        .number("down_bytes", count(traffic.down_bytes))
}
