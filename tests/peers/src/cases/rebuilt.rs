//! A project without a build script is built, its folder changes, and it is built again: is the change
//! in the binary, and if not, does the binary migrate without it?

use std::fmt;

use crate::cell::{Cell, Observation};
use crate::files::{self, Script};
use crate::lab::Lab;
use crate::peer::Peer;
use crate::project::Project;

/// What changes in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A file comes.
    Add,
    /// A file is edited.
    Edit,
}

/// What became of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// It is in the binary.
    Embedded,
    /// It is not, and the binary, a debug build, refuses to migrate in these words.
    Refused(String),
    /// It is not, and the binary migrates without it.
    Missed,
}

pub(super) async fn observe(lab: &Lab, peer: Peer, change: Change) -> Cell {
    let database = lab.database().await;
    let project = Project::new(peer, &files::plain());
    let before = project.run(&database.direct);
    assert_eq!(before, format!("embedded {}\n", files::plain().len()), "{}", peer.name());
    database.remove().await;
    let script = match change {
        Change::Add => Script::new(4, "more", "CREATE TABLE more (id int);\n"),
        Change::Edit => Script::new(3, "tags", "CREATE TABLE tags (id bigint, marker int);\n"),
    };
    project.add(&script);
    let database = lab.database().await;
    let after = project.run(&database.direct);
    database.remove().await;
    let refused = after.split_once('\n').map_or("", |(_, rest)| rest).trim_end();
    let seen = match (project.holds(script.sql.trim_end()), refused) {
        (true, _) => Seen::Embedded,
        (false, "") => Seen::Missed,
        (false, text) => Seen::Refused(text.to_owned()),
    };
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seen::Embedded => "embeds it",
            Seen::Refused(_) => "does not embed it; a debug build then refuses to migrate",
            Seen::Missed => "does not embed it, and migrates without it",
        })
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        if *self == Seen::Missed {
            vec![format!("a changed folder: the build {self}")]
        } else {
            Vec::new()
        }
    }

    fn remarks(&self) -> Vec<String> {
        match self {
            Seen::Refused(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    }
}
