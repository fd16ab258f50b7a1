//! What a run did, as plain values that a service can serialise as it likes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use migrate_set::text::{escaped, masked, quoted};
use tracing::info;

use super::skipped::SkippedList;
use super::text;

/// What one run did.
///
/// ```
/// use migrate_runtime::Report;
///
/// fn show(report: &Report) {
///     println!("{report}"); // a table, and a line such as `2 applied, 7 before; 3 messages, 31 ms`
///     for one in &report.applied {
///         println!("{} took {:?}", one.filename, one.duration);
///     }
///     if let Some(holder) = &report.waited_for {
///         println!("waited {:?} for {holder}", report.waited);
///     }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What this run applied, in order.
    pub applied: Vec<Applied>,
    /// What this run undid, in order: newest first.
    pub undone: Vec<Applied>,
    /// The migrations whose entries this run changed without running anything.
    pub amended: Vec<Amended>,
    /// How many of the last ones applied or undone were committed without waiting for the disk before
    /// the run failed: if the server crashed, it may have lost these, each as a whole. 0 after a run
    /// that succeeded.
    pub unconfirmed: usize,
    /// What this run did not apply, in the set's order, and why.
    pub skipped: SkippedList,
    /// Versions in the ledger that are newer than the set.
    pub ahead: Vec<String>,
    /// Messages sent to the server.
    pub messages: u32,
    /// The kind of lock that this run used.
    pub lock: LockKind,
    /// What else an operator should know, such as an invalid index that was dropped.
    pub notes: Vec<String>,
    /// How long the run waited: for other replicas, and before it tried a migration again.
    pub waited: Duration,
    /// Who held the lock after this run had waited for a second.
    pub waited_for: Option<Holder>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// The kind of lock that keeps two runs apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockKind {
    /// An advisory lock of the server.
    #[default]
    Advisory,
    /// A row of the ledger.
    Row,
}

/// Who holds a lock: that of a ledger, or one that a migration waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The server process of its session; 0 for a prepared transaction.
    pub pid: i32,
    /// The `application_name` of its session; may be empty.
    pub application_name: String,
    /// Its role; empty if the server does not show it.
    pub user: String,
    /// When it took the lock, or began its current transaction: RFC 3339, UTC; `None` if the server
    /// does not show it.
    pub since: Option<String>,
    /// How long its transaction has been open; `None` without one, or if the server does not show it.
    pub transaction_age: Option<Duration>,
    /// The statement that it runs, or ran last; `None` if the server does not show it.
    pub statement: Option<String>,
    /// The name of its prepared transaction, which belongs to no session.
    pub prepared: Option<String>,
}

/// How much of a holder's statement is shown.
const SHOWN: usize = 120;

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut details = Vec::new();
        for (name, value) in [("application_name", &self.application_name), ("user", &self.user)] {
            if !value.is_empty() {
                details.push(format!("{name} `{}`", escaped(value)));
            }
        }
        details.extend(self.since.as_ref().map(|since| format!("since {since}")));
        let age = self.transaction_age;
        details.extend(age.map(|age| format!("transaction {} s old", age.as_secs())));
        details.extend(self.statement.as_ref().map(|sql| format!("statement `{}`", cut(sql))));
        match &self.prepared {
            Some(name) => write!(f, "prepared transaction `{}`", escaped(name))?,
            None => write!(f, "pid {}", self.pid)?,
        }
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        let ends = ", which COMMIT PREPARED or ROLLBACK PREPARED ends";
        f.write_str(if self.prepared.is_some() { ends } else { "" })
    }
}

/// The beginning of a statement in one line, without secrets.
fn cut(sql: &str) -> String {
    let masked = masked(sql);
    let line = masked.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(end, _)| end);
    let more = if end < line.len() { "..." } else { "" };
    escaped(&line[..end]).into_owned() + more
}

/// A migration that a run applied, or undid.
///
/// Its texts are borrowed from the binary if that embeds the migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Its version as written.
    pub version: Cow<'static, str>,
    /// The description in its file name.
    pub name: Cow<'static, str>,
    /// Path of its file, relative to the migration folder.
    pub filename: Cow<'static, str>,
    /// How long it ran, by the server's clock, in whole milliseconds.
    pub duration: Duration,
}

/// What ran in a trial, all of which was undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trial {
    /// What ran, in order.
    pub ran: Vec<Applied>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// How long the trial took.
    pub elapsed: Duration,
}

/// A migration whose entry was changed without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Amended {
    /// Its version as written.
    pub version: String,
    /// The description in its file name.
    pub name: String,
    /// Path of its file, relative to the migration folder.
    pub filename: String,
}

impl Report {
    /// Adds what the run before this one undid, in a `redo`.
    pub(crate) fn add_undone(&mut self, before: Report) {
        self.undone = before.undone;
        self.messages += before.messages;
        self.notes.splice(..0, before.notes);
        self.waited += before.waited;
        self.waited_for = before.waited_for.or(self.waited_for.take());
        self.elapsed += before.elapsed;
    }

    /// Adds a note for the operator.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        info!(note, "noted");
        self.notes.push(note);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |a: &Applied| {
            let millis = format!("{} ms", a.duration.as_millis());
            [a.version.to_string(), a.name.to_string(), millis]
        };
        let listed = self.applied.iter().chain(&self.undone);
        let rows = listed.map(row).collect::<Vec<_>>();
        if !rows.is_empty() {
            text::table(f, ["version", "name", "time"], &rows)?;
        }
        match (self.applied.len(), self.skipped.len(), self.undone.len()) {
            _ if !self.amended.is_empty() => write!(f, "{} amended", self.amended.len())?,
            (0, 0, 0) => f.write_str("nothing to do")?,
            (0, known, 0) => write!(f, "nothing pending: {known} applied before")?,
            (0, _, undone) => write!(f, "{undone} undone")?,
            (new, 0, _) => write!(f, "{new} applied")?,
            (new, known, _) => write!(f, "{new} applied, {known} before")?,
        }
        if !self.ahead.is_empty() {
            write!(f, ", {} newer than this binary", self.ahead.len())?;
        }
        let messages = if self.messages == 1 { "message" } else { "messages" };
        let millis = self.elapsed.as_millis();
        write!(f, "; {} {messages}, {millis} ms", self.messages)?;
        self.notes.iter().try_for_each(|note| write!(f, "\nnote: {}", quoted(note)))
    }
}
