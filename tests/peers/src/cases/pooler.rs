//! Six replicas boot at the same moment through PgBouncer in transaction mode. When all of them have
//! ended, what they left on the pooler's connections is counted, and one more replica boots.

use std::fmt;

use super::rounds::{AllBoots, Boots, Ran, each};
use crate::cell::{Cell, Observation};
use crate::files;
use crate::fleet::{Replica, boot};
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

const REPLICAS: usize = 6;

struct Seen {
    boots: AllBoots,
    ran: Vec<Ran>,
    locks: Vec<u32>,
    /// The outcome of the replica that boots afterwards, as a word.
    next: Vec<&'static str>,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let mut cell = Cell::of(peer, &rounds(lab, peer, Tuning::Default).await);
    for tuning in [Tuning::NoStatementCache, Tuning::NoStatementCacheNoLock] {
        if let Some(option) = peer.option(tuning) {
            cell = cell.with(option, &rounds(lab, peer, tuning).await);
        }
    }
    cell
}

async fn rounds(lab: &Lab, peer: Peer, tuning: Tuning) -> Seen {
    let folder = lab.folder();
    peer.write(&folder, &files::small());
    let mut seen =
        Seen { boots: AllBoots(Vec::new()), ran: Vec::new(), locks: Vec::new(), next: Vec::new() };
    for _ in 0..lab.rounds {
        let database = lab.database().await;
        let fleet = boot((peer, tuning), &database.pooled, &folder, REPLICAS).await;
        seen.boots.0.push(Boots::of(&fleet));
        seen.ran.push(Ran::read(&database).await);
        drop(fleet);
        seen.locks.push(database.left().await.locks);
        let mut next = Replica::start(peer, tuning, &database.pooled).await;
        seen.next.push(next.run(&folder).await.word());
        drop(next);
        database.remove().await;
    }
    seen
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}; ", self.boots, each(self.ran.iter()))?;
        let (locks, next) = (each(self.locks.iter()), each(self.next.iter()));
        write!(f, "advisory locks stranded: {locks}; the next boot: {next}")
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls: Vec<String> = self.boots.shortfall().into_iter().collect();
        shortfalls.extend(self.ran.iter().filter(|ran| !ran.each_once()).map(Ran::to_string));
        if self.locks.iter().any(|locks| *locks > 0) {
            shortfalls.push("an advisory lock is stranded behind the pooler".to_owned());
        }
        if self.next.iter().any(|next| *next != "up") {
            shortfalls.push(format!("the next boot: {}", each(self.next.iter())));
        }
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        self.boots.remarks()
    }
}
