//! A project without a build script is built, its folder changes, and it is built again: is the change
//! in the binary, and if not, does the binary say so?

use std::fmt;

use crate::cell::{Cell, Observation};
use crate::files::{self, Script};
use crate::peer::Peer;
use crate::project::Project;

/// What changes in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A file comes.
    Add,
    /// A file is edited, so that the build has to refuse or embed it anew.
    Edit,
}

/// What became of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// It is in the binary.
    Embedded,
    /// It is not, and the debug build says so in these words.
    Told(String),
    /// It is not, and nothing says so.
    Missed,
}

pub(super) fn observe(peer: Peer, change: Change) -> Cell {
    let project = Project::new(peer, &files::plain());
    let before = project.run();
    assert_eq!(before, format!("embedded {}\n", files::plain().len()), "{}", peer.name());
    let script = match change {
        Change::Add => Script::new(4, "more", "CREATE TABLE more (id int);\n"),
        Change::Edit => Script::new(3, "tags", "CREATE TABLE tags (id bigint, marker int);\n"),
    };
    project.add(&script);
    let after = project.run();
    let embedded = match change {
        Change::Add => after.starts_with("embedded 4\n"),
        Change::Edit => project.holds("id bigint, marker int"),
    };
    let told = after.split_once('\n').map_or("", |(_, rest)| rest).trim_end();
    let seen = match (embedded, told) {
        (true, _) => Seen::Embedded,
        (false, "") => Seen::Missed,
        (false, told) => Seen::Told(told.to_owned()),
    };
    Cell::of(peer, &seen)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seen::Embedded => "embeds it",
            Seen::Told(_) => "does not embed it; a debug build says so and does not run",
            Seen::Missed => "does not embed it, and nothing says so",
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
            Seen::Told(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    }
}
