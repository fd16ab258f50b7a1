//! Decides which migrations another tool has applied, and whether their text is what it applied.

use migrate_set::checksum::sha256;
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::{Policy, Tolerance};
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

use super::Adopt;
use super::digest::{crc32_of_lines, sha384, siphash_of_refinery};
use super::tool::{Row, State};
use crate::outcome::AdoptObstacle;
use crate::sql::Taken;

/// A migration that the other tool has applied, and that has no entry.
#[derive(Debug, Clone)]
pub(crate) struct Found<'s> {
    pub(crate) migration: &'s Migration,
    pub(crate) taken: Taken,
    /// Why its text is not verified.
    pub(super) doubt: Option<Doubt>,
}

/// Why a text is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The row has no checksum.
    NoChecksum,
    /// The checksum is another text's, which the policy allows.
    Differs,
}

/// The entries to add, in the order in which the tool applied them, and notes about what the policy allows.
///
/// # Errors
/// Every row that cannot be adopted.
pub(super) fn decide<'s>(
    tool: Adopt,
    rows: Vec<Row>,
    (set, policy): (&'s Migrations, &Policy),
    entries: &[Entry],
) -> Result<(Vec<Found<'s>>, Vec<String>), Vec<AdoptObstacle>> {
    let (found, notes, obstacles) = (Vec::new(), Vec::new(), Vec::new());
    let mut decision = Decision { tool, set, policy, entries, found, notes, obstacles };
    for row in latest(rows) {
        decision.judge(&row);
    }
    let Decision { found, notes, obstacles, .. } = decision;
    if obstacles.is_empty() { Ok((found, notes)) } else { Err(obstacles) }
}

/// The last row of each migration: a history can contain applied, undone, applied.
fn latest(rows: Vec<Row>) -> Vec<Row> {
    let mut latest: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let is_same = |other: &Row| match (&row.version, &other.version) {
            (Some(version), Some(other)) => version == other,
            (None, None) => row.file == other.file,
            _ => false,
        };
        latest.retain(|other| !is_same(other));
        latest.push(row);
    }
    latest
}

struct Decision<'s, 'e> {
    tool: Adopt,
    set: &'s Migrations,
    policy: &'e Policy,
    entries: &'e [Entry],
    found: Vec<Found<'s>>,
    notes: Vec<String>,
    obstacles: Vec<AdoptObstacle>,
}

impl<'s> Decision<'s, '_> {
    fn judge(&mut self, row: &Row) {
        let migration = self.set.iter().find(|migration| is_of(self.tool, row, migration));
        match (row.state, migration) {
            (State::Undone, _) => {}
            (State::Failed, _) => {
                self.obstacles.push(AdoptObstacle::Failed { row: row.shown() });
            }
            (State::Baseline, _) | (State::Current, Some(_)) => self.take_up_to(row),
            (State::Applied, Some(migration)) => self.take(row, migration),
            (State::Applied | State::Current, None) => self.miss(row),
        }
    }

    /// A row without a migration in the set. It is an obstacle unless it was adopted before the set lost
    /// the migration, or is repeatable.
    fn miss(&mut self, row: &Row) {
        let is_entry = |entry: &Entry| match (&row.version, &row.file) {
            (Some(version), _) => {
                entry.kind == Kind::Versioned && entry.version == Version::new(version.clone())
            }
            (None, Some(file)) => is_file(file, &entry.filename),
            (None, None) => false,
        };
        let is_repeatable = self.tool == Adopt::Flyway && row.version.is_none();
        if is_repeatable || self.entries.iter().any(is_entry) {
            return;
        }
        let obstacle = AdoptObstacle::Unknown { row: row.shown() };
        if self.policy.missing == Tolerance::Refuse {
            return self.obstacles.push(obstacle);
        }
        self.notes.push(format!("{obstacle} and was left out"));
        if row.state == State::Current {
            self.take_up_to(row);
        }
    }

    fn take(&mut self, row: &Row, migration: &'s Migration) {
        if self.is_recorded(migration) {
            return;
        }
        let verdict = row.checksum.as_deref().map(|kept| verify(self.tool, row, migration, kept));
        let doubt = match verdict {
            None => Some(Doubt::NoChecksum),
            Some(Ok(())) => None,
            // An edited repeatable migration is pending, as it is for that tool.
            Some(Err(_)) if migration.kind() == Kind::Repeatable => return,
            Some(Err(_)) if self.policy.edited == Tolerance::Allow => Some(Doubt::Differs),
            Some(Err(embedded)) => {
                return self.obstacles.push(AdoptObstacle::Checksum {
                    file: self.set.path_of(migration.filename()),
                    algorithm: self.tool.algorithm().unwrap_or_default(),
                    kept: row.checksum.clone().unwrap_or_default(),
                    embedded,
                });
            }
        };
        if doubt.is_none() || migration.kind() == Kind::Versioned {
            self.push(row, migration, doubt);
        }
    }

    /// All versioned migrations up to the row's; the row has no details about them.
    fn take_up_to(&mut self, row: &Row) {
        let Some(version) = row.version.clone().map(Version::new) else { return };
        let set = self.set;
        for migration in set {
            let counts = migration.kind() == Kind::Versioned && *migration.version() <= version;
            if counts && !self.is_recorded(migration) {
                self.push(row, migration, Some(Doubt::NoChecksum));
            }
        }
    }

    fn push(&mut self, row: &Row, migration: &'s Migration, doubt: Option<Doubt>) {
        let whole = row.state == State::Applied;
        self.found.push(Found {
            migration,
            taken: Taken {
                applied_at: row.applied_at.clone(),
                applied_by: row.applied_by.clone(),
                execution_ms: row.execution_ms.filter(|ms| whole && *ms >= 0),
                verified: doubt.is_none(),
            },
            doubt,
        });
    }

    /// Whether it has an entry, or this adoption already adds one.
    fn is_recorded(&self, migration: &Migration) -> bool {
        let is_it = |entry: &Entry| {
            let unnamed = || {
                migration.version().without_name().is_some_and(|version| version == entry.version)
                    && entry.name == migration.name()
            };
            entry.kind == migration.kind() && (entry.version == *migration.version() || unnamed())
        };
        self.entries.iter().any(is_it)
            || self.found.iter().any(|found| std::ptr::eq(found.migration, migration))
    }
}

/// Whether a row of the tool's table is about `migration`.
fn is_of(tool: Adopt, row: &Row, migration: &Migration) -> bool {
    let Some(version) = &row.version else {
        return row.file.as_ref().is_some_and(|file| is_file(file, migration.filename()));
    };
    let ours = migration.version();
    if migration.kind() != Kind::Versioned {
        return false;
    }
    // diesel removes the dashes from a folder's version.
    if tool == Adopt::Diesel && ours.as_str().replace('-', "") == *version {
        return true;
    }
    let theirs = Version::new(version.clone());
    let named = || {
        ours.without_name().is_some_and(|ours| ours == theirs)
            && row.name.as_deref() == Some(migration.name())
    };
    *ours == theirs || named()
}

/// Whether `file`, a path or its last part, with or without its ending, is this path of the set.
fn is_file(file: &str, filename: &str) -> bool {
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let stem = |path: &str| {
        let base = base(path);
        let stem = base.strip_suffix(".sql").unwrap_or(&base);
        stem.strip_suffix(".up").unwrap_or(stem).to_owned()
    };
    file == filename || stem(file) == stem(filename)
}

/// Whether the recorded checksum is that of the set's text; the error is the text's own checksum.
///
/// The set has its files without a byte order mark and with line feeds only. A tool that reads bytes sees
/// the original, so all combinations are tried.
fn verify(tool: Adopt, row: &Row, migration: &Migration, kept: &str) -> Result<(), String> {
    let text = migration.up().text();
    let digest = |text: &str| digest(tool, row, text);
    let windows = || text.replace('\n', "\r\n");
    let marked = |text: &str| format!("\u{feff}{text}");
    let mut matches =
        [digest(text), digest(&windows()), digest(&marked(text)), digest(&marked(&windows()))]
            .into_iter()
            .flatten();
    if matches.any(|digest| digest.eq_ignore_ascii_case(kept.trim())) {
        return Ok(());
    }
    Err(digest(text).into_iter().next().unwrap_or_default())
}

/// The checksums that the tool can have for `text`; refinery's depends on the width of its versions.
fn digest(tool: Adopt, row: &Row, text: &str) -> Vec<String> {
    match tool {
        Adopt::Refinery => {
            let version = row.version.as_deref().and_then(|version| version.parse::<i64>().ok());
            let (version, name) =
                (version.unwrap_or_default(), row.name.as_deref().unwrap_or_default());
            let narrow = i32::try_from(version).ok();
            let narrow =
                narrow.map(|version| siphash_of_refinery(name, &version.to_le_bytes(), text));
            let wide = siphash_of_refinery(name, &version.to_le_bytes(), text);
            narrow.into_iter().chain([wide]).collect()
        }
        Adopt::Sqlx => vec![sha384(text)],
        Adopt::Flyway => vec![crc32_of_lines(text.trim_start_matches('\u{feff}'))],
        // pgdbm removes the blanks around a text.
        Adopt::Pgdbm => vec![sha256(text.trim())],
        _ => vec![sha256(text)],
    }
}
