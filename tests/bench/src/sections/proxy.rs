//! What the proxy adds by itself: the same smallest query over the server's own socket and through the
//! proxy at each round trip, in turn.

use std::time::Instant;

use super::{Extent, ROUND_TRIPS, micros};
use crate::record::{Recorder, Sample};
use crate::setup::{Line, Setup, connect, value};

pub(super) async fn measure(setup: &Setup, extent: Extent, out: &mut Recorder) {
    let database = setup.database().await;
    let proxies = ROUND_TRIPS.map(|round_trip| (round_trip, setup.proxy(round_trip)));
    let mut clients = vec![("none".to_owned(), 0.0, setup.connect(&database).await)];
    for (round_trip, proxy) in &proxies {
        let client = connect(&Line::through(proxy).config(&database)).await;
        clients.push((round_trip.as_millis().to_string(), micros(*round_trip), client));
    }
    for _ in 0..extent.pick(200, 100) {
        for (name, round_trip, client) in &clients {
            let begun = Instant::now();
            value(client, "SELECT 1").await;
            let sample = Sample::default().key("round_trip_ms", name);
            out.push(sample.number("over_us", micros(begun.elapsed()) - round_trip));
        }
    }
    drop(clients);
    setup.drop(&database).await;
}
