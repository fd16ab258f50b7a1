//! A migration fails, its file is fixed, and the same service runs again on the connection it kept.
//! Then another replica boots while the first one lives.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files::{self, Script};
use crate::fleet::{Outcome, Replica};
use crate::lab::{Lab, Left};
use crate::peer::{Peer, Tuning};

struct Seen {
    /// What the failed run left.
    failed: Left,
    again: Outcome,
    /// What the run after it left.
    left: Left,
    other: Outcome,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let (folder, database) = (lab.folder(), lab.database().await);
    let mut broken = files::plain();
    broken[1] =
        Script::new(2, "posts", "CREATE TABLE posts (id int);\nINSERT INTO nowhere VALUES (1);\n");
    peer.write(&folder, &broken);
    let mut replica = Replica::start(peer, Tuning::Default, &database.direct).await;
    let first = replica.run(&folder).await;
    assert!(first.error().is_some(), "{first:?}");
    let failed = database.left().await;
    peer.write(&folder, &files::plain());
    let again = replica.run(&folder).await;
    let left = database.left().await;
    let mut other = Replica::start(peer, Tuning::Default, &database.direct).await;
    let seen = Seen { failed, again, left, other: other.run(&folder).await };
    drop((replica, other));
    database.remove().await;
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after the failure {}; ", self.failed)?;
        write!(f, "the run again: {}, then {}; ", self.again.word(), self.left)?;
        write!(f, "another replica: {}", self.other.word())
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls = Vec::new();
        for left in [self.failed, self.left] {
            if !left.is_nothing() {
                shortfalls.push(format!("after a failure, {left}"));
            }
        }
        for (who, outcome) in [("the run again", &self.again), ("another replica", &self.other)] {
            if !outcome.is_up() {
                shortfalls.push(format!("{who} after a failure: {}", outcome.word()));
            }
        }
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        [&self.again, &self.other].into_iter().filter_map(|o| o.error()).map(first_line).collect()
    }
}
