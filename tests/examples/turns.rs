//! Measures boots through a proxy that counts and delays: messages, turns and wall time of a fresh
//! set and of nothing pending, at 0 and 20 ms round trip.
//!
//! `cargo run --release -p migrate-tests --example turns`

use std::time::{Duration, Instant};

use migrate_runtime::Migrator;
use migrate_tests::database::FreshDatabase;
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::tables;

/// Boots of each kind; the median is what is shown.
const BOOTS: usize = 5;

#[tokio::main]
async fn main() {
    println!("| migrations | round trip | boot | messages | turns | wall, median of {BOOTS} |");
    println!("|---|---|---|---|---|---|");
    for count in [10, 200, 1000] {
        for one_way in [Duration::ZERO, Duration::from_millis(10)] {
            measure(count, one_way).await;
        }
    }
}

async fn measure(count: usize, one_way: Duration) {
    let set = tables(count);
    let migrator = Migrator::new(&set);
    let (mut fresh, mut current) = (Vec::new(), Vec::new());
    for _ in 0..BOOTS {
        let database = FreshDatabase::create().await;
        let proxy = CountingProxy::with_delay(&database.config(), one_way).await;
        let mut client = proxy.connect().await;
        for walls in [&mut fresh, &mut current] {
            proxy.reset();
            let started = Instant::now();
            let report = migrator.run(&mut client).await.unwrap_or_else(|error| {
                eprintln!("{error}");
                std::process::exit(1)
            });
            walls.push((started.elapsed(), report.messages, proxy.round_trips()));
        }
    }
    for (boot, walls) in [("fresh", &mut fresh), ("nothing pending", &mut current)] {
        walls.sort();
        let (wall, messages, turns) = walls[BOOTS / 2];
        let round_trip = 2 * one_way.as_millis();
        let wall = wall.as_secs_f64() * 1000.0;
        println!("| {count} | {round_trip} ms | {boot} | {messages} | {turns} | {wall:.1} ms |");
    }
}
