//! The third statement of a file fails, on its second line: does the error name the file, and the line?

use std::fmt;

use crate::cell::{Cell, Observation};
use crate::files::{self, Script};
use crate::fleet::Replica;
use crate::lab::Lab;
use crate::peer::{Peer, Tuning};

/// The table in line 5 does not exist.
const SQL: &str = "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n\
                   INSERT INTO a\n  SELECT n.id\n  FROM nowhere n;\n";
const LINE: u32 = 5;

struct Seen {
    migration: Named,
    line: Named,
    text: String,
}

/// What an error says of where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    File,
    Version,
    Line,
    Nothing,
}

pub(super) async fn observe(lab: &Lab, peer: Peer) -> Cell {
    let (folder, database) = (lab.folder(), lab.database().await);
    let mut set = files::plain();
    set[1] = Script::new(2, "posts", SQL);
    peer.write(&folder, &set);
    let mut replica = Replica::start(peer, Tuning::Default, &database.direct).await;
    let outcome = replica.run(&folder).await;
    let text = outcome.error().unwrap_or_else(|| panic!("{outcome:?}"));
    let text = text.to_owned();
    let path = peer.path(&set[1]);
    let stem = path.trim_end_matches("/up.sql").trim_end_matches(".sql");
    let migration = if names(&text, &[stem]) {
        Named::File
    } else if names(&text, &["migration 2"]) {
        Named::Version
    } else {
        Named::Nothing
    };
    // With a blank after it, `line 5` is not found in `line 57`.
    let padded = format!("{text} ").replace(['\n', ',', ';', '.', ')'], " ");
    let has_line = names(&padded, &[&format!(":{LINE}:"), &format!("line {LINE} ")]);
    let line = if has_line { Named::Line } else { Named::Nothing };
    drop(replica);
    database.remove().await;
    Cell::of(peer, &Seen { migration, line, text })
}

/// Whether the text has one of these, in upper or lower case.
fn names(text: &str, wanted: &[&str]) -> bool {
    let text = text.to_lowercase();
    wanted.iter().any(|wanted| text.contains(&wanted.to_lowercase()))
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let migration = match self.migration {
            Named::File => "names the file",
            Named::Version => "names the version",
            _ => "names no migration",
        };
        let line = if self.line == Named::Line { "and the line" } else { "and no line" };
        write!(f, "{migration} {line}")
    }
}

impl Observation for Seen {
    fn shortfalls(&self) -> Vec<String> {
        match (self.migration, self.line) {
            (Named::File, Named::Line) => Vec::new(),
            _ => vec![format!("an error {self}: {}", self.text)],
        }
    }

    fn remarks(&self) -> Vec<String> {
        vec![self.text.clone()]
    }
}
