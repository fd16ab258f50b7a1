//! Sets with one mistake each, embedded by the tool's macro: does it compile? The same project without
//! the mistake has to compile first, so that a refusal is one of the mistake.

use std::fmt;

use crate::cell::{Cell, Observation, first_line};
use crate::files::{self, Script};
use crate::peer::{Peer, write};
use crate::project::Project;

/// A mistake in a set.
#[derive(Debug, Clone, Copy)]
enum Mistake {
    Duplicate,
    Empty,
    Misnamed,
    Syntax,
}

const MISTAKES: [Mistake; 4] =
    [Mistake::Duplicate, Mistake::Empty, Mistake::Misnamed, Mistake::Syntax];

impl Mistake {
    fn put_into(self, peer: Peer, project: &Project) {
        match self {
            Mistake::Duplicate => {
                project.add(&Script::new(2, "again", "CREATE TABLE again (id int);\n"));
            }
            Mistake::Empty => project.add(&Script::new(4, "empty", "")),
            Mistake::Misnamed => {
                let path = project.migrations().join(peer.misnamed_path());
                write(&path, "CREATE TABLE misnamed (id int);\n");
            }
            Mistake::Syntax => project.add(&Script::new(4, "wrong", "CREATE TABEL t (id int);\n")),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mistake::Duplicate => "a version twice",
            Mistake::Empty => "an empty file",
            Mistake::Misnamed => "a name without version",
            Mistake::Syntax => "a syntax error",
        })
    }
}

struct Seen(Vec<(Mistake, Result<(), String>)>);

pub(super) fn observe(peer: Peer) -> Cell {
    let sound = Project::new(peer, &files::plain()).build();
    assert_eq!(sound, Ok(()), "{} refuses a set without a mistake", peer.name());
    let build = |mistake: Mistake| {
        let project = Project::new(peer, &files::plain());
        mistake.put_into(peer, &project);
        (mistake, project.build())
    };
    Cell::of(peer, &Seen(MISTAKES.into_iter().map(build).collect()))
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |refused: bool| {
            let found = self.0.iter().filter(|(_, built)| built.is_err() == refused);
            found.map(|(mistake, _)| mistake.to_string()).collect::<Vec<_>>().join(", ")
        };
        let parts = [("refused: ", named(true)), ("compiles: ", named(false))];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts.map(|(head, names)| format!("{head}{names}")).collect();
        f.write_str(&parts.join("; "))
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        let compiled = self.0.iter().filter(|(_, built)| built.is_ok());
        compiled.map(|(mistake, _)| format!("{mistake} compiles")).collect()
    }

    fn remarks(&self) -> Vec<String> {
        let refused = self.0.iter().filter_map(|(mistake, built)| {
            built.as_ref().err().map(|error| format!("{mistake}: {}", first_line(error)))
        });
        refused.collect()
    }
}
