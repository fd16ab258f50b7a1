//! Six replicas boot at the same moment, and the set builds an index concurrently: a session that waits for a
//! lock inside the server holds a snapshot, and the index waits for every snapshot.

use std::fmt;

use super::rounds::{AllBoots, Boots, each};
use crate::cell::{Cell, Observation};
use crate::files;
use crate::fleet::boot;
use crate::index::Index;
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

const REPLICAS: usize = 6;

struct Seen {
    boots: AllBoots,
    indexes: Vec<Index>,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let folder = lab.folder();
    peer.write(&folder, &files::concurrently());
    let mut seen = Seen { boots: AllBoots(Vec::new()), indexes: Vec::new() };
    for _ in 0..lab.rounds {
        let database = lab.database().await;
        let fleet = boot((peer, Tuning::Default), &database.direct, &folder, REPLICAS).await;
        seen.boots.0.push(Boots::of(&fleet));
        drop(fleet);
        database.end_sessions().await;
        seen.indexes.push(Index::read(&database, "items_by_name").await);
        database.remove().await;
    }
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; index {}", self.boots, each(self.indexes.iter()))
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls: Vec<String> = self.boots.shortfall().into_iter().collect();
        let bad = self.indexes.iter().filter(|index| **index != Index::Valid);
        shortfalls.extend(bad.map(|index| format!("the index built concurrently is {index}")));
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        self.boots.remarks()
    }
}
