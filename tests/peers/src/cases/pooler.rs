//! Six replicas boot at the same moment through PgBouncer in transaction mode. When all of them have
//! ended, what they left on the pooler's connections is counted, and one more replica boots.

use std::fmt;

use super::rounds::{AllBoots, Boots, Ran, each};
use crate::cell::{Cell, Observation};
use crate::files::{self, Script};
use crate::fleet::{Replica, boot};
use crate::index::Index;
use crate::lab::{Database, Lab};
use crate::peer::{Peer, Tuning};

const REPLICAS: usize = 6;

/// Which set the replicas have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// [`files::small`].
    Small,
    /// [`files::concurrently`], for which a lock has to outlive a transaction.
    Concurrently,
}

/// What there is in the end, by the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ran(Ran),
    Index(Index),
}

struct Seen {
    set: Set,
    tuning: Tuning,
    boots: AllBoots,
    ends: Vec<End>,
    locks: Vec<u32>,
    /// The outcome of the replica that boots afterwards, as a word.
    next: Vec<&'static str>,
}

pub(super) async fn observe(lab: &Lab, peer: Peer, set: Set) -> Cell {
    let mut cell = Cell::of(peer, &rounds(lab, (peer, Tuning::Default), set).await);
    for tuning in [Tuning::NoStatementCache, Tuning::NoStatementCacheNoLock, Tuning::RowLock] {
        if let Some(option) = peer.option(tuning) {
            let seen = rounds(lab, (peer, tuning), set).await;
            if peer == Peer::Ours {
                cell.broken.extend(seen.shortfalls());
            }
            cell = cell.with(option, &seen);
        }
    }
    cell
}

async fn rounds(lab: &Lab, (peer, tuning): (Peer, Tuning), set: Set) -> Seen {
    let folder = lab.folder();
    peer.write(&folder, &set.scripts());
    let (boots, ends) = (AllBoots(Vec::new()), Vec::new());
    let mut seen = Seen { set, tuning, boots, ends, locks: Vec::new(), next: Vec::new() };
    for _ in 0..lab.rounds {
        let database = lab.database().await;
        let fleet = boot((peer, tuning), &database.pooled, &folder, REPLICAS).await;
        seen.boots.0.push(Boots::of(&fleet));
        drop(fleet);
        seen.locks.push(database.left().await.locks);
        let mut next = Replica::start(peer, tuning, &database.pooled).await;
        seen.next.push(next.run(&folder).await.word());
        drop(next);
        seen.ends.push(set.end(&database).await);
        database.remove().await;
    }
    seen
}

impl Set {
    fn scripts(self) -> Vec<Script> {
        match self {
            Set::Small => files::small(),
            Set::Concurrently => files::concurrently(),
        }
    }

    async fn end(self, database: &Database<'_>) -> End {
        match self {
            Set::Small => End::Ran(Ran::read(database).await),
            Set::Concurrently => End::Index(Index::read(database, "items_by_name").await),
        }
    }
}

impl End {
    fn is_good(self) -> bool {
        match self {
            End::Ran(ran) => ran.each_once(),
            End::Index(index) => index == Index::Valid,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Ran(ran) => ran.fmt(f),
            End::Index(index) => write!(f, "index {index}"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (locks, next) = (each(self.locks.iter()), each(self.next.iter()));
        write!(f, "{}; advisory locks stranded: {locks}; the next boot: {next}; ", self.boots)?;
        write!(f, "in the end {}", each(self.ends.iter()))
    }
}

impl Observation for Seen {
    /// An index built concurrently is refused by this library before anything runs, unless a row of
    /// the ledger is the lock.
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls = Vec::new();
        if self.locks.iter().any(|locks| *locks > 0) {
            shortfalls.push("an advisory lock is stranded behind the pooler".to_owned());
        }
        if self.set == Set::Concurrently && self.tuning != Tuning::RowLock {
            let missing = End::Index(Index::Missing);
            shortfalls.extend(self.ends.iter().filter(|end| **end != missing).map(End::to_string));
            return shortfalls;
        }
        shortfalls.extend(self.boots.shortfall());
        if self.next.iter().any(|next| *next != "up") {
            shortfalls.push(format!("the next boot: {}", each(self.next.iter())));
        }
        let bad = self.ends.iter().filter(|end| !end.is_good());
        shortfalls.extend(bad.map(End::to_string));
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        self.boots.remarks()
    }
}
