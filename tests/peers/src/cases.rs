//! The cases, in the order of the table: each sets up a fresh database or project, lets one tool work,
//! and observes. A case judges no peer; the comment of each observation is what this library must do.

mod rounds;
mod replicas;
mod concurrently;
mod pooler;
mod fixed;
mod cancelled;
mod invalid;
mod rewritten;
mod older;
mod malformed;
mod rebuilt;
mod position;

use crate::cell::Cell;
use crate::files::Mode;
use crate::lab::Lab;
use crate::peer::Peer;
use cancelled::End;
use pooler::Set;
use rebuilt::Change;
use rewritten::Rewrite;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Twelve replicas on an empty database.
    Replicas,
    /// An index built concurrently while others wait.
    Concurrently,
    /// Six replicas through a pooler in transaction mode.
    Pooler,
    /// The same, with an index built concurrently.
    PoolerConcurrently,
    /// A failure, then the fixed set on the same connection.
    Fixed,
    /// A run that is dropped midway.
    Dropped,
    /// A run that is dropped midway, where no transaction is open.
    DroppedOutside,
    /// A process that is killed midway.
    Killed,
    /// An index built concurrently that fails and leaves itself INVALID.
    Invalid,
    /// The files again with other line endings.
    Crlf,
    /// The files again with a comment more.
    Comment,
    /// The files again with another meaning.
    Meaning,
    /// A binary older than the database.
    Older,
    /// Sets with a mistake, at build time.
    Malformed,
    /// A file that is added to a project.
    Added,
    /// A file of a project that is edited.
    Edited,
    /// Where an error says that it is.
    Position,
}

impl Case {
    /// In the order of the table.
    pub const ALL: [Case; 17] = [
        Case::Replicas,
        Case::Concurrently,
        Case::Pooler,
        Case::PoolerConcurrently,
        Case::Fixed,
        Case::Dropped,
        Case::DroppedOutside,
        Case::Killed,
        Case::Invalid,
        Case::Crlf,
        Case::Comment,
        Case::Meaning,
        Case::Older,
        Case::Malformed,
        Case::Added,
        Case::Edited,
        Case::Position,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Case::Replicas => "replicas",
            Case::Concurrently => "concurrently",
            Case::Pooler => "pooler",
            Case::PoolerConcurrently => "pooler-concurrently",
            Case::Fixed => "fixed",
            Case::Dropped => "dropped",
            Case::DroppedOutside => "dropped-outside",
            Case::Killed => "killed",
            Case::Invalid => "invalid",
            Case::Crlf => "crlf",
            Case::Comment => "comment",
            Case::Meaning => "meaning",
            Case::Older => "older",
            Case::Malformed => "malformed",
            Case::Added => "added",
            Case::Edited => "edited",
            Case::Position => "position",
        }
    }

    /// The case of this name.
    pub fn named(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|case| case.name() == name)
    }

    /// What is done, in the table's first column.
    pub const fn title(self) -> &'static str {
        match self {
            Case::Replicas => "12 replicas at once on an empty database, 30 migrations",
            Case::Concurrently => "6 replicas at once, `CREATE INDEX CONCURRENTLY` in the middle",
            Case::Pooler => {
                "6 replicas at once through PgBouncer in transaction mode, 30 migrations"
            }
            Case::PoolerConcurrently => "the same with `CREATE INDEX CONCURRENTLY` in the middle",
            Case::Fixed => "a migration fails, its file is fixed, the same connection runs again",
            Case::Dropped => "the run's future is dropped within a migration",
            Case::DroppedOutside => {
                "the run's future is dropped within a migration outside a transaction"
            }
            Case::Killed => "the process is killed within a migration",
            Case::Invalid => {
                "`CREATE UNIQUE INDEX CONCURRENTLY` finds duplicates, they are removed, the same \
                 connection runs again"
            }
            Case::Crlf => "applied with LF, run again from CRLF files",
            Case::Comment => "applied, then a comment is added to a file",
            Case::Meaning => "applied, then a file's meaning is changed",
            Case::Older => "the database has a newer migration than the binary",
            Case::Malformed => "a mistake in the set, at build time",
            Case::Added => "a file is added, nothing else, no `build.rs`: the next build",
            Case::Edited => "a file is edited, no `build.rs`: the next build",
            Case::Position => "the third statement of a file fails, on its second line",
        }
    }

    /// Lets the tool work and observes.
    pub async fn observe(self, lab: &Lab, peer: Peer) -> Cell {
        match self {
            Case::Replicas => replicas::observe(lab, peer).await,
            Case::Concurrently => concurrently::observe(lab, peer).await,
            Case::Pooler => pooler::observe(lab, peer, Set::Small).await,
            Case::PoolerConcurrently => pooler::observe(lab, peer, Set::Concurrently).await,
            Case::Fixed => fixed::observe(lab, peer).await,
            Case::Dropped => cancelled::observe(lab, peer, End::Drop, Mode::Transactional).await,
            Case::DroppedOutside => {
                cancelled::observe(lab, peer, End::Drop, Mode::NonTransactional).await
            }
            Case::Killed => cancelled::observe(lab, peer, End::Kill, Mode::Transactional).await,
            Case::Invalid => invalid::observe(lab, peer).await,
            Case::Crlf => rewritten::observe(lab, peer, Rewrite::Crlf).await,
            Case::Comment => rewritten::observe(lab, peer, Rewrite::Comment).await,
            Case::Meaning => rewritten::observe(lab, peer, Rewrite::Meaning).await,
            Case::Older => older::observe(lab, peer).await,
            Case::Malformed => malformed::observe(peer),
            Case::Added => rebuilt::observe(lab, peer, Change::Add).await,
            Case::Edited => rebuilt::observe(lab, peer, Change::Edit).await,
            Case::Position => position::observe(lab, peer).await,
        }
    }
}
