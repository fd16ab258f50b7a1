//! Names what a run does to one migration: apply it, or undo it.
//! A migration of the set, or what a rollback found, goes in; the script to run, and what it is
//! called in messages, come out.
//! It decides nothing on purpose.

use std::borrow::Cow;

use migrate_set::rollback::Undo;
use migrate_set::set::TransactionMode;
use migrate_set::set::{Migration, Script};

use crate::error::Direction;

/// One migration and what is done to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'d> {
    /// Its up script runs, and its entry is written.
    Apply(&'d Migration),
    /// Its down script runs, and its entry goes.
    Undo(&'d Undo<'d>),
}

impl<'d> Deed<'d> {
    /// What runs.
    pub(crate) fn script(self) -> &'d Script {
        match self {
            Deed::Apply(migration) => migration.up(),
            Deed::Undo(undo) => undo.script(),
        }
    }

    /// Whether that runs inside one transaction.
    pub(crate) fn is_transactional(self) -> bool {
        self.script().transaction() == TransactionMode::Transactional
    }

    pub(crate) fn version(self) -> &'d str {
        match self {
            Deed::Apply(migration) => migration.version().as_str(),
            Deed::Undo(undo) => undo.entry.version.as_str(),
        }
    }

    pub(crate) fn direction(self) -> Direction {
        match self {
            Deed::Apply(_) => Direction::Up,
            Deed::Undo(_) => Direction::Down,
        }
    }

    /// Version, name and file for whoever keeps them: nothing is copied of what is in the binary.
    pub(crate) fn texts(self) -> [Cow<'static, str>; 3] {
        match self {
            Deed::Apply(migration) => [
                migration.version().clone().into(),
                migration.shared_name(),
                migration.up().shared_filename(),
            ],
            Deed::Undo(undo) => [
                undo.entry.version.clone().into(),
                undo.entry.name.clone().into(),
                undo.script().shared_filename(),
            ],
        }
    }

    pub(crate) fn name(self) -> &'d str {
        match self {
            Deed::Apply(migration) => migration.name(),
            Deed::Undo(undo) => &undo.entry.name,
        }
    }
}
