//! Decides what a rollback undoes, before anything is undone.
//! It uses the down scripts in the ledger where the set has none, so that an older binary can undo what a newer
//! one applied.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use crate::checksum::sha256;
use crate::ledger::Entry;
use crate::name::Kind;
use crate::plan::Tolerance;
use crate::remedy::{Remedy, Term};
use crate::set::{Migration, Migrations, Script, TransactionMode};
use crate::sort::sort_by;
use crate::sql::kind::{SessionEffect, session_effect};
use crate::sql::{lexer::lex, split::split};
use crate::text::escaped;
use crate::version::Version;

/// How far a rollback goes.
///
/// ```
/// # use migrate_set::rollback::Rollback;
/// let last = Rollback::Steps(1);
/// let down_to_seven = Rollback::to(7); // 7 itself is kept; also `to("0007")`
/// # assert_ne!(last, down_to_seven);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollback {
    /// This many migrations, the last applied first.
    Steps(usize),
    /// All migrations newer than this version, or than this file (`0007_add_users.sql`), which must be applied.
    To(Version),
    /// All migrations.
    All,
}

impl Rollback {
    /// [`Rollback::To`] this version, which is an integer or a text.
    pub fn to(version: impl Into<Version>) -> Self {
        Self::To(version.into())
    }
}

/// One entry with the down script in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub entry: Entry,
    /// The down script as it would be sent; `None` if there is none.
    pub down_sql: Option<String>,
    /// Its [`sha256`] when it was written; set whenever there is a script.
    pub down_checksum: Option<String>,
}

/// One migration that will be undone.
///
/// ```
/// # use migrate_set::rollback::Undo;
/// fn show(undo: &Undo<'_>) {
///     println!("-- {}, applied by {}", undo.entry.filename, undo.entry.applied_by);
///     println!("{}", undo.script().text());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo<'s> {
    /// Its entry, which ends with it.
    pub entry: Entry,
    down: Cow<'s, Script>,
}

impl Undo<'_> {
    /// The script that undoes it; empty for a repeatable migration without a down script, whose entry just ends.
    pub fn script(&self) -> &Script {
        &self.down
    }

    /// Whether the script is the ledger's: roles that may write the ledger may have changed it.
    pub fn is_from_ledger(&self) -> bool {
        matches!(&self.down, Cow::Owned(script) if !script.text().is_empty())
    }
}

/// Why a rollback cannot start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// Neither the set nor the ledger has a down script.
    #[error(
        "version {version}: `{filename}` has no down script",
        version = escaped(version),
        filename = escaped(filename)
    )]
    NoDown {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
    },
    /// The set has a down script, and not that of what was applied.
    #[error("version {version}: `{filename}` was edited after it was applied, or the ledger was")]
    Edited {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
    },
    /// The migration is non-transactional and stopped partway.
    #[error(
        "version {version}: `{filename}` is unfinished",
        version = escaped(version),
        filename = escaped(filename)
    )]
    Unfinished {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
    },
    /// The down script in the ledger was changed after it was written.
    #[error(
        "version {version}: the down script of `{filename}` in the ledger was changed",
        version = escaped(version),
        filename = escaped(filename)
    )]
    Damaged {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
    },
    /// It is replaced by a squash file, so the set does not know how to undo it alone.
    #[error("version {version}: it is one of those that `{file}` replaces", version = escaped(version))]
    Replaced {
        /// The version as the ledger writes it.
        version: String,
        /// The squash file, as the set names it.
        file: String,
    },
    /// The target was never applied.
    #[error("no versioned migration {version} is applied")]
    NotApplied {
        /// The version as the caller writes it.
        version: String,
    },
    /// It would not be applied again after it.
    #[error(
        "version {version}: `{filename}` is not in the set, which could not apply it again",
        version = escaped(version),
        filename = escaped(filename)
    )]
    NotInSet {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
    },
    /// The target means other migrations than when the rollback was planned.
    #[error("the ledger has changed since the rollback was planned")]
    Changed,
}

impl Obstacle {
    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            Obstacle::NoDown { .. } => {
                "add a down script to the set, or undo it with a new migration".into()
            }
            Obstacle::Edited { .. } => Remedy::new(
                "restore the file, record the edit with {}, or undo it by the ledger's script with {}",
                &[Term::Accept, Term::DownFromLedger],
            ),
            Obstacle::Unfinished { .. } => Remedy::new(
                "let {} complete it first, or undo it by hand and {} it",
                &[Term::Run, Term::Forget],
            ),
            Obstacle::Damaged { .. } => {
                "restore it, or use a binary whose set has the migration".into()
            }
            Obstacle::Replaced { .. } => {
                "undo it with a release that still has its file, or with a new migration".into()
            }
            Obstacle::NotApplied { .. } => Remedy::new(
                "choose an applied version, which `status` lists, or undo all with {}",
                &[Term::RollbackAll],
            ),
            Obstacle::NotInSet { .. } => {
                "redo it with a binary whose set has it, or only roll it back".into()
            }
            Obstacle::Changed => "run it again, and read what it undoes now".into(),
        }
    }
}

/// All obstacles; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacles(pub Vec<Obstacle>);

impl fmt::Display for Obstacles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rollback cannot start; nothing was undone")?;
        for obstacle in &self.0 {
            write!(f, "\n{obstacle}\n  help: ")?;
            obstacle.help().fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Obstacles {}

/// Which of `recorded` to undo, the last applied first. The target counts versioned migrations. The
/// repeatable ones that were applied after the first of these are undone too: by their down script, or else
/// their entry ends, because their objects can be gone; a run applies them again. `edited` decides whether the
/// ledger's script undoes a migration that the set has with another text, and a down script.
///
/// # Errors
/// [`Obstacles`] with all of them.
pub fn rollback<'s>(
    set: &'s Migrations,
    recorded: Vec<Recorded>,
    target: &Rollback,
    edited: Tolerance,
) -> Result<Vec<Undo<'s>>, Obstacles> {
    let (mut versioned, repeatable): (Vec<Recorded>, Vec<Recorded>) =
        recorded.into_iter().partition(|one| one.entry.kind == Kind::Versioned);
    sort_by(&mut versioned, newest_first);
    match target {
        Rollback::All => {}
        Rollback::Steps(steps) => versioned.truncate(*steps),
        Rollback::To(version) => {
            let is_it = |one: &&Recorded| version.means(&one.entry.version, &one.entry.filename);
            let Some(kept) = versioned.iter().find(is_it).map(|one| one.entry.version.clone())
            else {
                let version = version.to_string();
                return Err(Obstacles(vec![Obstacle::NotApplied { version }]));
            };
            versioned.retain(|one| one.entry.version > kept);
        }
    }
    let first = versioned.iter().map(|one| one.entry.position).min();
    let is_later = |one: &Recorded| {
        *target == Rollback::All || first.is_some_and(|first| one.entry.position > first)
    };
    versioned.extend(repeatable.into_iter().filter(is_later));
    sort_by(&mut versioned, newest_first);
    let mut undos = Vec::with_capacity(versioned.len());
    let mut obstacles = Vec::new();
    for one in versioned {
        match undo(set, one, edited) {
            Ok(undo) => undos.push(undo),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    obstacles.dedup_by(|next, last| is_repeated(last, next));
    if obstacles.is_empty() { Ok(undos) } else { Err(Obstacles(obstacles)) }
}

/// Whether two obstacles name one squash file, which has the same remedy.
fn is_repeated(last: &Obstacle, next: &Obstacle) -> bool {
    match (last, next) {
        (Obstacle::Replaced { file: one, .. }, Obstacle::Replaced { file: other, .. }) => {
            one == other
        }
        _ => false,
    }
}

fn newest_first(one: &Recorded, other: &Recorded) -> Ordering {
    other.entry.position.cmp(&one.entry.position)
}

/// The set's down script if the set's up script is what was applied, and the ledger's if the set has none.
fn undo(set: &Migrations, recorded: Recorded, edited: Tolerance) -> Result<Undo<'_>, Obstacle> {
    let Recorded { entry, down_sql, down_checksum } = recorded;
    let (version, filename) = (entry.version.to_string(), entry.filename.clone());
    if !entry.is_finished() {
        return Err(Obstacle::Unfinished { version, filename });
    }
    let is_versioned = entry.kind == Kind::Versioned;
    let replaces =
        |one: &&Migration| one.replaces().iter().any(|one| *one.version() == entry.version);
    if let Some(squash) = set.iter().find(replaces).filter(|_| is_versioned) {
        return Err(Obstacle::Replaced { version, file: set.path_of(squash.filename()) });
    }
    let is_its = |migration: &&Migration| {
        migration.kind() == entry.kind && *migration.version() == entry.version
    };
    let is_applied = |migration: &&Migration| {
        entry.checksum.as_ref().is_none_or(|c| *c == migration.checksum().to_string())
    };
    // Equal versions can be migrations of their own.
    let its = || set.iter().filter(is_its);
    if let Some(down) = its().find(is_applied).and_then(Migration::down) {
        return Ok(Undo { entry, down: Cow::Borrowed(down) });
    }
    let can_be_edited = is_versioned && edited == Tolerance::Refuse;
    if can_be_edited && its().any(|migration| migration.down().is_some()) {
        return Err(Obstacle::Edited { version, filename });
    }
    let Some(sql) = down_sql else {
        if is_versioned {
            return Err(Obstacle::NoDown { version, filename });
        }
        let down = its().find_map(Migration::down).map(Cow::Borrowed);
        return Ok(Undo { entry, down: down.unwrap_or_else(|| Cow::Owned(nothing(filename))) });
    };
    // Both are always written together, so a script without a checksum was changed too.
    let is_intact = down_checksum.is_some_and(|checksum| checksum == sha256(&sql));
    let down = is_intact.then(|| script(&filename, sql)).flatten().map(Cow::Owned);
    down.map(|down| Undo { entry, down }).ok_or(Obstacle::Damaged { version, filename })
}

/// What undoes a repeatable migration without a down script.
fn nothing(filename: String) -> Script {
    let (mode, session) = (TransactionMode::Transactional, SessionEffect::Keeps);
    Script::new(filename, String::new(), Vec::new(), Vec::new(), mode, session)
}

/// The line that begins a non-transactional down script in the ledger.
pub const NO_TRANSACTION: &str = "-- migrate:no-transaction\n";

/// A script from the ledger's text, which a build checked.
fn script(filename: &str, sql: String) -> Option<Script> {
    let tokens = lex(&sql);
    let statements = split(&sql, &tokens).ok()?;
    let narrow = |offset: usize| u32::try_from(offset).ok();
    let ranges = statements.iter().map(|one| Some([narrow(one.start())?, narrow(one.end())?]));
    let ranges = ranges.collect::<Option<Vec<_>>>()?;
    let session = statements.iter().map(|one| session_effect(&sql, one)).max();
    let mode = if sql.starts_with(NO_TRANSACTION) {
        TransactionMode::NonTransactional
    } else {
        TransactionMode::Transactional
    };
    Some(Script::new(
        format!("{filename} (as the ledger keeps it)"),
        sql,
        ranges,
        Vec::new(),
        mode,
        session.unwrap_or(SessionEffect::Keeps),
    ))
}
