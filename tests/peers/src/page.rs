//! The page that is printed: the table, remarks below it, and what was compared with what.
//! Every cell comes from a [`Cell`]; the versions come from the lock file, the server and the pooler.

use crate::cases::Case;
use crate::cell::Cell;
use crate::fleet::LIMIT;
use crate::lab::Lab;
use crate::peer::Peer;
use crate::pooler::POOL_SIZE;

const LOCK: &str = include_str!("../Cargo.lock");

/// How the page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal: one block a case.
    Plain,
    /// As a Markdown document with one table.
    Markdown,
}

/// What was observed so far.
pub struct Page {
    rounds: usize,
    versions: [String; 2],
    rows: Vec<(Case, Vec<Cell>)>,
}

impl Page {
    /// An empty page.
    pub async fn new(lab: &Lab) -> Page {
        Page { rounds: lab.rounds, versions: lab.versions().await, rows: Vec::new() }
    }

    /// Adds a row: one cell for each peer, in the order of [`Peer::ALL`].
    pub fn push(&mut self, case: Case, cells: Vec<Cell>) {
        self.rows.push((case, cells));
    }

    /// Promises of this library that did not hold.
    pub fn broken(&self) -> Vec<String> {
        let cells =
            self.rows.iter().flat_map(|(case, cells)| cells.iter().map(|cell| (*case, cell)));
        cells
            .flat_map(|(case, cell)| {
                cell.broken.iter().map(move |text| format!("{}: {text}", case.name()))
            })
            .collect()
    }

    /// The page as text.
    pub fn show(&self, form: Form) -> String {
        match form {
            Form::Plain => format!("{}\n{}\n{}\n", self.blocks(), self.remarks(), self.setting()),
            Form::Markdown => format!(
                "# Four libraries in the same cases\n\nWhat this library, refinery, sqlx and \
                 diesel_migrations did in each case. [comparison](comparison.md) has the short \
                 form. This command runs every case again and writes this page:\n\n```sh\n{}\n```\n\n{}\n\
                 ## How it is done\n\n{}\n\n## Error texts\n\n{}",
                command(),
                self.table(),
                self.setting(),
                self.remarks()
            ),
        }
    }

    fn table(&self) -> String {
        let heads = Peer::ALL.map(|peer| format!("{} {}", peer.name(), version(peer.name())));
        let rule = "---|".repeat(heads.len());
        let mut lines = vec![format!("| | {} |", heads.join(" | ")), format!("|---|{rule}")];
        for (case, cells) in &self.rows {
            let cells: Vec<String> = cells.iter().map(|cell| escaped(&cell.text)).collect();
            lines.push(format!("| {} | {} |", case.title(), cells.join(" | ")));
        }
        lines.join("\n") + "\n"
    }

    fn blocks(&self) -> String {
        let mut lines = Vec::new();
        for (case, cells) in &self.rows {
            lines.push(case.title().to_owned());
            let cells = Peer::ALL.iter().zip(cells);
            lines.extend(cells.map(|(peer, cell)| format!("  {:<18} {}", peer.name(), cell.text)));
        }
        lines.join("\n") + "\n"
    }

    /// One list a case that has any.
    fn remarks(&self) -> String {
        let mut lists = Vec::new();
        for (case, cells) in &self.rows {
            let cells = Peer::ALL.iter().zip(cells);
            let items: Vec<String> = cells
                .flat_map(|(peer, cell)| cell.remarks.iter().map(|text| item(*peer, text)))
                .collect();
            if !items.is_empty() {
                lists.push(format!("{}:\n\n{}", case.title(), items.join("\n")));
            }
        }
        lists.join("\n\n") + "\n"
    }

    fn setting(&self) -> String {
        let [server, pooler] = &self.versions;
        let drivers = ["tokio-postgres", "diesel"].map(|name| format!("{name} {}", version(name)));
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        format!(
            "{server}, a throwaway server on a local socket; {pooler} with {POOL_SIZE} server \
             connections per database; {}; built with the {profile} profile. Each library is used \
             with its defaults, and with a documented option if a cell names one. It gets the same \
             SQL under its own file names, and its own mark for a migration outside a transaction. \
             Every observation has a new database. A replica is a process of its own. One that fails \
             ends and is not started again; one that takes longer than {} s counts as hung and is \
             killed. Cases with several replicas have {} rounds; if the rounds differ, a cell lists \
             each, as in 1/2/1. In the error texts, N stands for any number.",
            drivers.join(", "),
            LIMIT.as_secs(),
            self.rounds
        )
    }
}

/// A list item; a text of several lines becomes a block of its own.
fn item(peer: Peer, text: &str) -> String {
    let name = peer.name();
    if text.contains('\n') {
        let block: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
        format!("- {name}:\n\n  ```text\n{}\n  ```", block.join("\n"))
    } else {
        format!("- {name}: {text}")
    }
}

/// In a table's cell a bar would end it.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The command that writes this page.
fn command() -> String {
    let profile = if cfg!(debug_assertions) { "" } else { " --release" };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("cargo run{profile} --manifest-path tests/peers/Cargo.toml -- {}", arguments.join(" "))
}

/// The version that the lock file has of a package.
fn version(package: &str) -> &'static str {
    let entry = format!("name = \"{package}\"\nversion = \"");
    let rest = LOCK.split_once(entry.as_str()).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(version, _)| version)
}
