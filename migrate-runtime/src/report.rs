//! Says what a run did, and what the ledger and the set look like side by side.
//! `execute` fills a [`Report`], `Migrator::status` makes a [`Status`]; both show as a table.
//! They hold plain values on purpose, so that a service can serialise them as it likes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What one run did.
///
/// ```
/// use migrate_runtime::Report;
///
/// fn tell(report: &Report) {
///     println!("{report}"); // a table, and a line such as `2 applied, 7 before; 2 messages, 31 ms`
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
    /// Whose entries this run changed without running anything.
    pub amended: Vec<Amended>,
    /// How many of the last of either were committed without waiting for the disk, by a run that then
    /// broke: if the server crashed, it may have lost them, each whole. 0 behind a run that ended
    /// well.
    pub unconfirmed: usize,
    /// What this run did not apply, in the set's order, and why.
    pub skipped: Vec<Skipped>,
    /// Versions in the ledger that are newer than the set.
    pub ahead: Vec<String>,
    /// Messages sent to the server.
    pub messages: u32,
    /// What kept other runs away while this one applied something.
    pub lock: LockKind,
    /// What else an operator should know: a leftover removed, a statement sent again.
    pub notes: Vec<String>,
    /// How long the run waited: for other replicas, and before it tried a migration again.
    pub waited: Duration,
    /// Who held the lock when this run had waited for a second.
    pub waited_for: Option<Holder>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// What keeps two runs apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockKind {
    /// An advisory lock of the server.
    #[default]
    Advisory,
    /// A row of the ledger.
    Row,
}

/// Who holds the lock of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The process of the server that serves its session.
    pub pid: i32,
    /// What its session calls itself; may be empty.
    pub application_name: String,
    /// Its role; empty where the server does not tell.
    pub user: String,
    /// Since when it has held the lock, or has been at it: RFC 3339, UTC; `None` where the server
    /// does not tell.
    pub since: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if !self.application_name.is_empty() {
            write!(f, ", application_name `{}`", self.application_name)?;
        }
        if !self.user.is_empty() {
            write!(f, ", user `{}`", self.user)?;
        }
        match &self.since {
            Some(since) => write!(f, ", since {since}"),
            None => Ok(()),
        }
    }
}

/// A migration that a run applied, or undid.
///
/// Its texts are those in the binary, where it embeds the migration.
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

/// What ran in a trial; nothing of it stays.
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

/// A migration whose entry was changed, and nothing else.
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

/// A migration that a run did not apply.
///
/// Its texts are those in the binary, where it embeds the migration: most boots list the whole set here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its version as written.
    pub version: Cow<'static, str>,
    /// The description in its file name.
    pub name: Cow<'static, str>,
    /// Why it was not applied.
    pub reason: SkipReason,
}

/// Why a run did not apply a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// The ledger had it when the run began.
    AlreadyApplied,
    /// Another replica applied it while this run waited.
    AppliedMeanwhile,
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
            table(f, ["version", "name", "time"], &rows)?;
        }
        match (self.applied.len(), self.skipped.len(), self.undone.len()) {
            _ if !self.amended.is_empty() => write!(f, "{} amended", self.amended.len())?,
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
        self.notes.iter().try_for_each(|note| write!(f, "\nnote: {note}"))
    }
}

/// Ledger and set side by side.
///
/// ```
/// use migrate_runtime::{State, Status};
///
/// fn pending(status: &Status) -> Vec<&str> {
///     let rows = status.migrations.iter().filter(|row| matches!(row.state, State::Pending));
///     rows.map(|row| row.version.as_str()).collect()
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// One row a migration: the set's in its order, then what only the ledger knows.
    pub migrations: Vec<StatusRow>,
}

/// One migration of a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRow {
    /// Its version as written.
    pub version: String,
    /// The description in its file name.
    pub name: String,
    /// Path of its file, relative to the migration folder.
    pub filename: String,
    /// Whether it ran.
    pub state: State,
}

/// Whether a migration ran.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It ran.
    Applied {
        /// When: RFC 3339, UTC.
        at: String,
        /// By which role.
        by: String,
        /// How long it ran, in whole milliseconds.
        duration: Duration,
    },
    /// It will run.
    Pending,
    /// It is non-transactional and stopped midway; it will be continued.
    Unfinished {
        /// Statements that took effect.
        done: u32,
        /// Whether the next one may have taken effect too: its session broke.
        in_flight: bool,
    },
    /// Only the ledger knows it: it is newer than the set.
    Ahead {
        /// When it was applied: RFC 3339, UTC.
        at: String,
        /// By which role.
        by: String,
    },
}

impl State {
    /// One word for it: `applied`, `pending`, `unfinished` or `ahead`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            State::Applied { .. } => "applied",
            State::Pending => "pending",
            State::Unfinished { .. } => "unfinished",
            State::Ahead { .. } => "ahead",
        }
    }
}

impl Status {
    /// How many migrations will run: pending and unfinished ones.
    pub fn pending(&self) -> usize {
        let open =
            |row: &&StatusRow| matches!(row.state, State::Pending | State::Unfinished { .. });
        self.migrations.iter().filter(open).count()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |row: &StatusRow| {
            let state = match &row.state {
                State::Applied { at, .. } => format!("applied {at}"),
                other => other.as_str().to_owned(),
            };
            [row.version.clone(), row.name.clone(), state]
        };
        let rows = self.migrations.iter().map(row).collect::<Vec<_>>();
        table(f, ["version", "name", "state"], &rows)?;
        write!(f, "{} pending of {}", self.pending(), self.migrations.len())
    }
}

/// Three aligned columns under their heads, every line ended.
fn table(f: &mut fmt::Formatter<'_>, heads: [&str; 3], rows: &[[String; 3]]) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    writeln!(f, "{:<first$}  {:<second$}  {}", heads[0], heads[1], heads[2])?;
    for [a, b, c] in rows {
        writeln!(f, "{a:<first$}  {b:<second$}  {c}")?;
    }
    Ok(())
}
