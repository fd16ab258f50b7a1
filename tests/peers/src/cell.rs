//! What a case observed of a peer: a cell of the table, remarks below it, and promises that broke.
//! An observation shows itself, and what in it this library promises to do better.

use std::fmt;

use crate::peer::Peer;

/// What a case saw of one tool.
pub trait Observation: fmt::Display {
    /// What falls short of what this library promises; nothing where all is well.
    fn shortfalls(&self) -> Vec<String>;

    /// Texts of the tool worth showing below the table.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A cell of the table.
#[derive(Debug, Default)]
pub struct Cell {
    /// What the table shows.
    pub text: String,
    /// The remarks below the table.
    pub remarks: Vec<String>,
    /// Promises of this library that did not hold; always empty for a peer.
    pub broken: Vec<String>,
}

impl Cell {
    /// The cell of an observation with the tool's defaults.
    pub fn of(peer: Peer, seen: &impl Observation) -> Cell {
        let broken = if peer == Peer::Ours { seen.shortfalls() } else { Vec::new() };
        Cell { text: seen.to_string(), remarks: seen.remarks(), broken }
    }

    /// The cell of a tool that lacks what the case is about.
    pub fn impossible(why: &str) -> Cell {
        Cell { text: format!("({why})"), ..Cell::default() }
    }

    /// Adds what was observed with an option set.
    #[must_use]
    pub fn with(mut self, option: &str, seen: &impl Observation) -> Cell {
        self.text = format!("{}; with {option}: {seen}", self.text);
        self.remarks
            .extend(seen.remarks().into_iter().map(|text| format!("with {option}: {text}")));
        self
    }
}

/// The first line of a text, cut where it grows long.
pub fn first_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}
