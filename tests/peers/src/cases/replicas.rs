//! Twelve replicas boot at the same moment on an empty database.

use std::fmt;

use super::rounds::{AllBoots, Boots, Ran, each};
use crate::cell::{Cell, Observation};
use crate::files;
use crate::fleet::boot;
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

const REPLICAS: usize = 12;

struct Seen {
    boots: AllBoots,
    ran: Vec<Ran>,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let cell = Cell::of(peer, &rounds(lab, peer, Tuning::Default).await);
    match peer.option(Tuning::Grouped) {
        Some(option) => cell.with(option, &rounds(lab, peer, Tuning::Grouped).await),
        None => cell,
    }
}

async fn rounds(lab: &Lab, peer: Peer, tuning: Tuning) -> Seen {
    let folder = lab.folder();
    peer.write(&folder, &files::small());
    let mut seen = Seen { boots: AllBoots(Vec::new()), ran: Vec::new() };
    for _ in 0..lab.rounds {
        let database = lab.database().await;
        let fleet = boot((peer, tuning), &database.direct, &folder, REPLICAS).await;
        seen.boots.0.push(Boots::of(&fleet));
        seen.ran.push(Ran::read(&database).await);
        drop(fleet);
        database.remove().await;
    }
    seen
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.boots, each(self.ran.iter()))?;
        let Some(seconds) = self.boots.last_up() else { return Ok(()) };
        write!(f, "; the last up after {seconds}")
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls: Vec<String> = self.boots.shortfall().into_iter().collect();
        shortfalls.extend(self.ran.iter().filter(|ran| !ran.each_once()).map(Ran::to_string));
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        self.boots.remarks()
    }
}
