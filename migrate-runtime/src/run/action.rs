//! What a run does to one migration: apply it, or undo it.

use std::borrow::Cow;

use migrate_set::digest::Running;
use migrate_set::name::Direction;
use migrate_set::rollback::Undo;
use migrate_set::set::{Migration, Migrations, Script, TransactionMode};

use crate::outcome::Subject;

/// A migration, and whether the run applies or undoes it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action<'d> {
    /// Its up script runs, and its entry is written.
    Apply(&'d Migration),
    /// Its down script runs, and its entry ends.
    Undo(&'d Undo<'d>),
}

impl<'d> Action<'d> {
    /// The script that runs.
    pub(super) fn script(self) -> &'d Script {
        match self {
            Action::Apply(migration) => migration.up(),
            Action::Undo(undo) => undo.script(),
        }
    }

    /// Whether it runs inside one transaction.
    pub(super) fn is_transactional(self) -> bool {
        self.script().transaction() == TransactionMode::Transactional
    }

    /// Whether it may create the extension Citus, after which each statement has to be alone.
    pub(super) fn names_citus(self) -> bool {
        let text = self.script().text().as_bytes();
        text.windows(5).any(|word| word.eq_ignore_ascii_case(b"citus"))
    }

    /// Changes the digests of the ledger as its row does.
    pub(super) fn count(self, set: &Migrations, running: &mut Running) {
        match self {
            Action::Apply(migration) => running.apply(migration),
            Action::Undo(undo) => running.end(set, &undo.entry),
        }
    }

    /// How many rows it adds to the ledger.
    pub(super) fn rows(self) -> i64 {
        match self {
            Action::Apply(migration) => i64::try_from(migration.replaces_before().len())
                .unwrap_or(i64::MAX)
                .saturating_add(1),
            Action::Undo(_) => 1,
        }
    }

    pub(super) fn version(self) -> &'d str {
        match self {
            Action::Apply(migration) => migration.version().as_str(),
            Action::Undo(undo) => undo.entry.version.as_str(),
        }
    }

    pub(super) fn direction(self) -> Direction {
        match self {
            Action::Apply(_) => Direction::Up,
            Action::Undo(_) => Direction::Down,
        }
    }

    /// Version, name and file for a report; texts in the binary are not copied.
    pub(super) fn texts(self) -> [Cow<'static, str>; 3] {
        match self {
            Action::Apply(migration) => [
                migration.version().clone().into(),
                migration.shared_name(),
                migration.up().shared_filename(),
            ],
            Action::Undo(undo) => [
                undo.entry.version.clone().into(),
                undo.entry.name.clone().into(),
                undo.script().shared_filename(),
            ],
        }
    }

    pub(super) fn name(self) -> &'d str {
        match self {
            Action::Apply(migration) => migration.name(),
            Action::Undo(undo) => &undo.entry.name,
        }
    }

    /// It, as hooks and listeners see it.
    pub(super) fn subject(self) -> Subject<'d> {
        Subject {
            version: self.version(),
            name: self.name(),
            filename: self.script().filename(),
            direction: self.direction(),
        }
    }
}

/// The versions of `actions`, in order.
pub(super) fn versions(actions: &[Action<'_>]) -> Vec<String> {
    actions.iter().map(|action| action.version().to_owned()).collect()
}
