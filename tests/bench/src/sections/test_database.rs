//! A database of its own for each test: applying the set to an empty one, against a copy of one to which
//! it was applied, made by `CREATE DATABASE .. TEMPLATE`.

use std::time::Instant;

use super::{Extent, micros, programs};
use crate::ground::Ground;
use crate::peer::Peer;
use crate::program::boot;
use crate::record::{Recorder, Sample};
use crate::set;

/// How many migrations a test's database has.
pub const SIZE: usize = 200;

pub(super) async fn measure(ground: &Ground, extent: Extent, out: &mut Recorder) {
    let programs = programs(&set::generated(SIZE));
    let ours = programs.iter().find(|(peer, _)| *peer == Peer::Ours);
    let (_, program) = ours.expect("this library");
    let migrate = |database: &str| {
        boot(program, &ground.direct(), database).unwrap_or_else(|error| panic!("{error}"));
    };
    let template = ground.database().await;
    migrate(&template);
    for _ in 0..extent.pick(15, 7) {
        let begun = Instant::now();
        let applied = ground.database().await;
        migrate(&applied);
        let sample = Sample::default().key("way", "apply");
        out.push(sample.number("wall_us", micros(begun.elapsed())));
        let begun = Instant::now();
        let copied = ground.clone_of(&template).await;
        let sample = Sample::default().key("way", "clone");
        out.push(sample.number("wall_us", micros(begun.elapsed())));
        ground.drop(&applied).await;
        ground.drop(&copied).await;
    }
    ground.drop(&template).await;
}
