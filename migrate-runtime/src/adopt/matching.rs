//! Decides which migrations another tool has applied, and whether their text is what it applied.

use std::collections::HashMap;
use std::ptr;

use migrate_set::former::Former;
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::{Policy, Tolerance};
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

use super::digest::{Digest, Hashed, of_directory, originals};
use super::facts::{Facts, Key};
use super::former::Formers;
use super::names::{is_file, is_of_version, only_of_name};
use super::row::{Row, State};
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
    /// The row has no checksum, or one that depends on another text which differs.
    NoChecksum,
    /// The checksum is another text's, which the policy allows.
    Differs,
}

/// The entries to add, in the order in which the tool applied them, and notes about what the policy allows.
///
/// # Errors
/// Every row that cannot be adopted.
pub(super) fn decide<'s>(
    facts: &Facts<'_>,
    rows: Vec<Row>,
    terms: (&'s Migrations, &Policy),
    entries: &[Entry],
) -> Result<(Vec<Found<'s>>, Vec<String>), Vec<AdoptObstacle>> {
    // Of several rows with a checksum as key, none replaces another.
    let rows = if facts.key.0 == Key::Checksum { rows } else { latest(rows) };
    if facts.key.0 == Key::Revision && rows.len() > 1 {
        return Err(rows.iter().map(|row| AdoptObstacle::Branch { row: row.shown() }).collect());
    }
    let mut decision = Decision::new(facts, &rows, terms, entries);
    let lacks = |one: &&Migration| !one.replaces().is_empty() && !decision.is_recorded(one);
    if let Some(squash) = decision.set.iter().find(lacks).filter(|_| !rows.is_empty()) {
        let file = decision.set.path_of(squash.filename());
        return Err(vec![AdoptObstacle::Replaced { file }]);
    }
    for (index, row) in rows.iter().enumerate() {
        decision.judge(index, row);
    }
    decision.explain();
    let Decision { mut found, notes, obstacles, set, .. } = decision;
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    if facts.order.is_empty() {
        let place = |found: &Found<'_>| set.iter().position(|one| ptr::eq(one, found.migration));
        found.sort_by_cached_key(place);
    }
    Ok((found, notes))
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
    facts: &'e Facts<'e>,
    set: &'s Migrations,
    policy: &'e Policy,
    entries: &'e [Entry],
    /// The migrations of each checksum, where that leads to them.
    by_checksum: HashMap<String, Vec<&'s Migration>>,
    /// The migrations to which the checksum of a row leads.
    expected: Vec<&'s Migration>,
    /// The checksums of each migration that depend on those before it.
    chained: Vec<Vec<String>>,
    /// What the migrations that were converted were to the tool.
    formers: Formers<'s>,
    /// The migrations that a row was about.
    claimed: Vec<&'s Migration>,
    found: Vec<Found<'s>>,
    notes: Vec<String>,
    obstacles: Vec<AdoptObstacle>,
}

impl<'s, 'e> Decision<'s, 'e> {
    fn new(
        facts: &'e Facts<'e>,
        rows: &[Row],
        (set, policy): (&'s Migrations, &'e Policy),
        entries: &'e [Entry],
    ) -> Self {
        let formers = Formers::of(set, facts);
        let by_checksum = match (facts.key.0, facts.checksum) {
            (Key::Checksum, Some((digest, _))) => by_checksum(digest, set, &formers),
            _ => HashMap::new(),
        };
        let is_chained = facts.checksum.is_some_and(|(digest, _)| digest == Digest::Directory);
        let chained = if is_chained { of_directory(set.as_slice()) } else { Vec::new() };
        let mut decision = Decision {
            facts,
            set,
            policy,
            entries,
            by_checksum,
            expected: Vec::new(),
            chained,
            formers,
            claimed: Vec::new(),
            found: Vec::new(),
            notes: Vec::new(),
            obstacles: Vec::new(),
        };
        let expected = rows.iter().flat_map(|row| decision.of_checksum(row)).copied().collect();
        decision.expected = expected;
        decision
    }

    fn judge(&mut self, index: usize, row: &Row) {
        let migration = self.migration_of(index, row);
        match (row.state, migration) {
            (State::Undone, _) => {}
            (State::Failed, _) => {
                self.obstacles.push(AdoptObstacle::Failed { row: row.shown() });
            }
            (State::Baseline, _) => {
                if let Some(version) = row.version.clone().map(Version::new) {
                    self.take_up_to(row, &version);
                }
            }
            (State::Current, Some(migration)) => {
                self.take_up_to(row, &self.formers.version(migration));
            }
            (State::Applied, Some(migration)) => self.take(row, migration),
            (State::Applied | State::Current, None) => self.miss(row),
        }
    }

    /// The migration that a row is about.
    fn migration_of(&mut self, index: usize, row: &Row) -> Option<&'s Migration> {
        let of_key = self.of_key(row);
        if self.facts.key.0 != Key::Checksum {
            return of_key;
        }
        let is =
            |list: &[&Migration], one: &Migration| list.iter().any(|other| ptr::eq(*other, one));
        let is_free = |one: &&'s Migration| !is(&self.claimed, one);
        let mut of_text = self.of_checksum(row).iter().copied().filter(is_free);
        let first = of_text.next();
        let named = first
            .into_iter()
            .chain(of_text)
            .find(|one| of_key.is_some_and(|key| ptr::eq(key, *one)));
        // Without a name, a row whose text is not in the set is about the file at its place.
        let is_nameless = row.file.is_none() && self.policy.missing == Tolerance::Refuse;
        let at_its_place = self.set.as_slice().get(index);
        let at_its_place = at_its_place.filter(|one| is_nameless && !is(&self.expected, one));
        let found = named.or(first).or(of_key.or(at_its_place).filter(is_free));
        self.claimed.extend(found);
        found
    }

    /// The migrations to whose text the checksum of a row leads.
    fn of_checksum(&self, row: &Row) -> &[&'s Migration] {
        let kept = self.facts.checksum.zip(row.checksum.as_deref());
        let kept = kept.map(|((digest, _), kept)| digest.recorded(kept).to_ascii_lowercase());
        kept.and_then(|kept| self.by_checksum.get(&kept)).map_or(&[], Vec::as_slice)
    }

    fn of_key(&self, row: &Row) -> Option<&'s Migration> {
        let converted = self.formers.of_row(row);
        if converted.is_some() {
            return converted;
        }
        // The name of a migration that was converted is not the tool's.
        let is_its = |one: &&Migration| self.formers.get(one).is_none();
        let mut all = self.set.iter().filter(is_its);
        if let Some(version) = &row.version {
            let version = Version::new(version.clone());
            return all.find(|one| is_of_version(&version, row.name.as_deref(), one));
        }
        let file = row.file.as_deref()?;
        let of_file = all.find(|one| is_file(file, one.filename()));
        let of_name = || only_of_name(self.set, file, self.facts.key.0 == Key::Revision);
        of_file.or_else(|| of_name().filter(is_its))
    }

    /// A row without a migration in the set. It is an obstacle unless it was adopted before the set lost
    /// the migration, is repeatable, or the policy allows it.
    fn miss(&mut self, row: &Row) {
        let is_entry = |entry: &Entry| match (&row.version, &row.file) {
            (Some(version), _) => {
                entry.kind == Kind::Versioned && entry.version == Version::new(version.clone())
            }
            (None, Some(file)) => is_file(file, &entry.filename),
            (None, None) => false,
        };
        // Only Flyway has rows with a file that can have a version and have none.
        let is_repeatable =
            self.facts.key.0 == Key::Version && row.version.is_none() && row.file.is_some();
        if is_repeatable || self.entries.iter().any(is_entry) {
            return;
        }
        let obstacle = AdoptObstacle::Unknown { row: row.shown() };
        if self.policy.missing == Tolerance::Refuse {
            return self.obstacles.push(obstacle);
        }
        self.notes.push(format!("{obstacle} and was left out"));
        if let (State::Current, Some(version)) = (row.state, &row.version) {
            self.take_up_to(row, &Version::new(version.clone()));
        }
    }

    /// Adds to unknown rows what one migration was to the tool that it was converted from, if no row is about it.
    fn explain(&mut self) {
        let is_unknown = |one: &AdoptObstacle| matches!(one, AdoptObstacle::Unknown { .. });
        if !self.obstacles.iter().any(is_unknown) {
            return;
        }
        let mut left = self.set.iter().filter(|one| !self.is_recorded(one));
        let converted = left.find_map(|one| {
            let Former { tool, key, .. } = Former::all(one.up().text()).next()?;
            let file = self.set.path_of(one.filename());
            Some(AdoptObstacle::Converted { file, tool, key })
        });
        self.obstacles.extend(converted);
    }

    fn take(&mut self, row: &Row, migration: &'s Migration) {
        if self.is_recorded(migration) {
            return;
        }
        let doubt = match self.verify(row, migration) {
            None => Some(Doubt::NoChecksum),
            Some(Ok(())) => None,
            // An edited repeatable migration is pending, as it is for that tool.
            Some(Err(_)) if migration.kind() == Kind::Repeatable => return,
            Some(Err(_)) if self.policy.edited == Tolerance::Allow => Some(Doubt::Differs),
            Some(Err((kept, embedded))) => {
                let file = self.set.path_of(migration.filename());
                let algorithm = self.facts.checksum.map_or("", |(digest, _)| digest.name());
                let edited = AdoptObstacle::Checksum { file, algorithm, kept, embedded };
                return self.obstacles.push(edited);
            }
        };
        if doubt.is_none() || migration.kind() == Kind::Versioned {
            self.push(row, migration, doubt);
        }
    }

    /// Whether the recorded checksum is that of the set's text; the error is both of them. `None` if none was
    /// recorded, or another file before this one was edited, on which it depends.
    fn verify(&self, row: &Row, migration: &Migration) -> Option<Result<(), (String, String)>> {
        let (digest, _) = self.facts.checksum?;
        let kept = digest.recorded(row.checksum.as_deref()?);
        let is_it = |one: &String| one.eq_ignore_ascii_case(&kept);
        if digest == Digest::Directory {
            let is_edited = |one: &AdoptObstacle| matches!(one, AdoptObstacle::Checksum { .. });
            if self.obstacles.iter().any(is_edited) {
                return None;
            }
        }
        if let Some(former) = self.formers.get(migration) {
            let is_same = former.is_of(migration.checksum())?;
            let is_recorded = former.recorded.iter().any(is_it);
            let shown = if is_same { former.recorded.first().cloned() } else { None };
            let shown =
                shown.unwrap_or_else(|| "another text than the one that was converted".to_owned());
            return Some(if is_same && is_recorded { Ok(()) } else { Err((kept, shown)) });
        }
        if digest == Digest::Directory {
            let place = self.set.iter().position(|one| ptr::eq(one, migration))?;
            let sums = self.chained.get(place)?;
            return Some(if sums.iter().any(is_it) {
                Ok(())
            } else {
                Err((kept, sums.first().cloned().unwrap_or_default()))
            });
        }
        let mut first = None;
        for text in originals(migration.up()) {
            let digests = digest.of(&text, &Hashed::of(migration), row);
            if digests.iter().any(is_it) {
                return Some(Ok(()));
            }
            first = first.or_else(|| digests.into_iter().next());
        }
        Some(Err((kept, first.unwrap_or_default())))
    }

    /// All versioned migrations up to the row's; the row has no details about them.
    fn take_up_to(&mut self, row: &Row, version: &Version) {
        let set = self.set;
        for migration in set {
            let former = self.formers.version(migration);
            let counts = migration.kind() == Kind::Versioned && former <= *version;
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
            || self.found.iter().any(|found| ptr::eq(found.migration, migration))
    }
}

/// The migrations of each checksum that a tool can have recorded.
fn by_checksum<'s>(
    digest: Digest,
    set: &'s Migrations,
    formers: &Formers<'_>,
) -> HashMap<String, Vec<&'s Migration>> {
    let mut by_checksum: HashMap<String, Vec<&'s Migration>> = HashMap::new();
    let row = Row::default();
    for migration in set {
        let texts = originals(migration.up());
        let file = Hashed::of(migration);
        let checksums = match formers.get(migration) {
            Some(former) => former.recorded.iter().map(|one| one.to_ascii_lowercase()).collect(),
            None => texts.flat_map(|text| digest.of(&text, &file, &row)).collect::<Vec<_>>(),
        };
        for checksum in checksums {
            let migrations = by_checksum.entry(checksum).or_default();
            if !migrations.last().is_some_and(|last| ptr::eq(*last, migration)) {
                migrations.push(migration);
            }
        }
    }
    by_checksum
}
