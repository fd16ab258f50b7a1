//! The database was migrated by a newer binary; an older one boots, as after a roll-back deploy.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files;
use crate::fleet::{Outcome, Replica};
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

struct Seen(Outcome);

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let cell = Cell::of(peer, &boot_older(lab, peer, Tuning::Default).await);
    match peer.option(Tuning::AllowMissing) {
        Some(option) => cell.with(option, &boot_older(lab, peer, Tuning::AllowMissing).await),
        None => cell,
    }
}

async fn boot_older(lab: &Lab, peer: Peer, tuning: Tuning) -> Seen {
    let (folder, database) = (lab.folder(), lab.database().await);
    let set = files::plain();
    peer.write(&folder, &set);
    let mut newer = Replica::start(peer, tuning, &database.direct).await;
    let applied = newer.run(&folder).await;
    assert!(applied.is_up(), "{applied:?}");
    peer.write(&folder, &set[..set.len() - 1]);
    let mut older = Replica::start(peer, tuning, &database.direct).await;
    let seen = Seen(older.run(&folder).await);
    drop((newer, older));
    database.remove().await;
    seen
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            outcome if outcome.is_up() => "boots",
            outcome if outcome.error().is_some() => "refuses to boot",
            outcome => outcome.word(),
        })
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        if self.0.is_up() { Vec::new() } else { vec![format!("an older binary {self}")] }
    }

    fn remarks(&self) -> Vec<String> {
        self.0.error().map(first_line).into_iter().collect()
    }
}
