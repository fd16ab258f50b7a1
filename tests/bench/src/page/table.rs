//! Markdown tables, and numbers as they show them.

use std::fmt::Write as _;

/// A table under way.
#[derive(Debug)]
pub struct Table(String);

impl Table {
    /// A table with these columns.
    pub fn new<S: AsRef<str>>(heads: &[S]) -> Table {
        let mut table = Table(String::new());
        table.row(heads);
        let _ = writeln!(table.0, "|{}", "---|".repeat(heads.len()));
        table
    }

    /// Adds a row.
    pub fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        let cells: Vec<String> =
            cells.iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }

    /// The table as text.
    pub fn show(self) -> String {
        self.0
    }
}

/// Microseconds with three digits or so, as milliseconds or seconds.
pub fn time(micros: f64) -> String {
    match micros {
        m if m >= 9_999_500.0 => format!("{:.1} s", m / 1e6),
        m if m >= 999_500.0 => format!("{:.2} s", m / 1e6),
        m if m >= 99_950.0 => format!("{:.0} ms", m / 1e3),
        m if m >= 9_995.0 => format!("{:.1} ms", m / 1e3),
        m => format!("{:.2} ms", m / 1e3),
    }
}

/// Bytes as KiB or MiB.
pub fn bytes(bytes: f64) -> String {
    match bytes {
        b if b.abs() >= 1_048_576.0 => format!("{:.2} MiB", b / 1_048_576.0),
        b => format!("{:.1} KiB", b / 1024.0),
    }
}

/// One time against another, as `3.2`.
pub fn ratio(of: f64, to: f64) -> String {
    let ratio = of / to;
    if ratio >= 9.95 { format!("{ratio:.0}") } else { format!("{ratio:.2}") }
}
