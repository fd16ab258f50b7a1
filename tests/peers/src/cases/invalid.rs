//! A unique index built concurrently finds duplicates; it fails and is left INVALID. The duplicates
//! are removed, and the same service runs again with the same file.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files::{self, FIX};
use crate::fleet::{Outcome, Replica};
use crate::index::Index;
use crate::lab::{Lab, Left};
use crate::peer::{Peer, Tuning};

struct Seen {
    again: Outcome,
    index: Index,
    left: Left,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let (folder, database) = (lab.folder(), lab.database().await);
    peer.write(&folder, &files::duplicates());
    let mut replica = Replica::start(peer, Tuning::Default, &database.direct).await;
    let first = replica.run(&folder).await;
    assert!(first.error().is_some(), "{first:?}");
    database.value(FIX).await;
    let again = replica.run(&folder).await;
    let (index, left) = (Index::read(&database, "items_by_id").await, database.left().await);
    drop(replica);
    database.remove().await;
    Cell::of(peer, &Seen { again, index, left })
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { again, index, left } = self;
        write!(f, "the run again: {}, then {left}; index {index}", again.word())
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let kept = self.again.is_up() && self.index == Index::Valid && self.left.is_nothing();
        if kept { Vec::new() } else { vec![format!("an index left INVALID: {self}")] }
    }

    fn remarks(&self) -> Vec<String> {
        self.again.error().map(first_line).into_iter().collect()
    }
}
