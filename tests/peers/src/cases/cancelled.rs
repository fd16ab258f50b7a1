//! A run ends within its second migration: its future is dropped while the service lives on, or its
//! process is killed. Once the server has worked off what it was sent, what is left is counted, the
//! service runs again where it lives, and another replica boots.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files::{self, Mode, Script};
use crate::fleet::{Outcome, Replica};
use crate::lab::{Lab, Left};
use crate::peer::{Peer, Tuning};
use crate::replica::RunEnd;

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its future is dropped.
    Drop,
    /// Its process is killed.
    Kill,
}

struct Seen {
    left: Left,
    /// The run of the same service; `None` where its process is gone.
    again: Option<Outcome>,
    other: Outcome,
}

const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND wait_event = 'PgSleep'";

pub(super) async fn observe(lab: &Lab, peer: Peer, end: End, mode: Mode) -> Cell {
    if end == End::Drop && !peer.is_async() {
        return Cell::impossible("a run blocks and cannot be dropped");
    }
    let (folder, database) = (lab.folder(), lab.database().await);
    let mut slow = files::plain();
    slow[1] = Script { mode, ..Script::new(2, "slow", "SELECT pg_sleep(1);\n") };
    peer.write(&folder, &slow);
    let mut replica = Replica::start(peer, Tuning::Default, &database.direct).await;
    replica.begin(&folder).await;
    database.wait_until(SLEEPING, "1").await;
    match end {
        End::Drop => {
            let dropped = replica.drop_run().await;
            assert_eq!(dropped, Outcome::Reported(RunEnd::Dropped));
        }
        End::Kill => replica.kill().await,
    }
    let left = database.left().await;
    let again = match end {
        End::Drop => Some(replica.run(&folder).await),
        End::Kill => None,
    };
    let mut other = Replica::start(peer, Tuning::Default, &database.direct).await;
    let seen = Seen { left, again, other: other.run(&folder).await };
    drop((replica, other));
    database.remove().await;
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.left)?;
        if let Some(again) = &self.again {
            write!(f, "the run again: {}; ", again.word())?;
        }
        write!(f, "another replica: {}", self.other.word())
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let mut shortfalls = Vec::new();
        if !self.left.is_nothing() {
            shortfalls.push(format!("after a run that ended midway, {}", self.left));
        }
        for outcome in self.again.iter().chain([&self.other]).filter(|outcome| !outcome.is_up()) {
            shortfalls.push(format!("a run after one that ended midway: {}", outcome.word()));
        }
        shortfalls
    }

    fn remarks(&self) -> Vec<String> {
        let outcomes = self.again.iter().chain([&self.other]);
        outcomes.filter_map(|outcome| outcome.error()).map(first_line).collect()
    }
}
