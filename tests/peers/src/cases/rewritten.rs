//! A set is applied, its files are written anew, and another replica boots from them.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files::{self, Script};
use crate::fleet::{Outcome, Replica};
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

/// How the files differ from what was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// Every line ends with CRLF.
    Crlf,
    /// One file begins with a comment.
    Comment,
    /// One file says something else.
    Meaning,
}

impl Rewrite {
    fn apply(self, set: &mut [Script]) {
        match self {
            Rewrite::Crlf => {
                for script in set {
                    script.sql = script.sql.replace('\n', "\r\n");
                }
            }
            Rewrite::Comment => set[0].sql.insert_str(0, "-- Who may log in.\n"),
            Rewrite::Meaning => set[0].sql = set[0].sql.replace("name text", "name varchar(9)"),
        }
    }
}

struct Seen {
    rewrite: Rewrite,
    outcome: Outcome,
}

pub(super) async fn observe(lab: &Lab, peer: Peer, rewrite: Rewrite) -> Cell {
    let (folder, database) = (lab.folder(), lab.database().await);
    let mut set = files::plain();
    peer.write(&folder, &set);
    let mut first = Replica::start(peer, Tuning::Default, &database.direct).await;
    let applied = first.run(&folder).await;
    assert!(applied.is_up(), "{applied:?}");
    rewrite.apply(&mut set);
    peer.write(&folder, &set);
    let mut second = Replica::start(peer, Tuning::Default, &database.direct).await;
    let seen = Seen { rewrite, outcome: second.run(&folder).await };
    drop((first, second));
    database.remove().await;
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.outcome {
            outcome if outcome.is_up() => "accepted",
            outcome if outcome.error().is_some() => "refused",
            outcome => outcome.word(),
        })
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let kept = match self.rewrite {
            Rewrite::Crlf | Rewrite::Comment => self.outcome.is_up(),
            Rewrite::Meaning => self.outcome.error().is_some(),
        };
        if kept { Vec::new() } else { vec![format!("the rewritten files: {self}")] }
    }

    fn remarks(&self) -> Vec<String> {
        self.outcome.error().map(first_line).into_iter().collect()
    }
}
