//! Decides what the entries of replaced migrations mean for the squash file: it is applied if all of them are, and
//! pending if none is.

use super::claims::insert;
use super::{Cause, Planner, Tolerance};
use crate::checksum::ALGORITHM;
use crate::drift::Drift;
use crate::ledger::Entry;
use crate::name::Kind;
use crate::set::{Migration, Migrations};
use crate::squash::Replaced;

/// Takes the entries of what the set's squash file replaces before its own version; by version.
pub(super) fn take_replaced(set: &Migrations, entries: &mut Vec<Entry>) -> Vec<Entry> {
    let Some(squash) = set.iter().find(|one| !one.replaces().is_empty()) else {
        return Vec::new();
    };
    let before = squash.replaces_before();
    let is_replaced = |entry: &Entry| {
        entry.kind == Kind::Versioned
            && before.binary_search_by(|one| one.version().cmp(&entry.version)).is_ok()
    };
    let mut taken = Vec::new();
    for entry in std::mem::take(entries) {
        if is_replaced(&entry) {
            insert(&mut taken, entry);
        } else {
            entries.push(entry);
        }
    }
    taken
}

impl Planner<'_> {
    /// Why the squash file runs; `own` is the entry of its version.
    pub(super) fn judge_squash(
        &mut self,
        squash: &Migration,
        own: Option<&Entry>,
    ) -> Option<Cause> {
        if self.replaced.is_empty() && own.is_none() {
            self.judge_order(squash);
            return Some(Cause::New);
        }
        let entry_of = |one: &Replaced| {
            let before = self.replaced.binary_search_by(|entry| entry.version.cmp(one.version()));
            let before = before.ok().and_then(|at| self.replaced.get(at));
            before.or(own.filter(|own| own.version == *one.version()))
        };
        let found: Vec<_> = squash.replaces().iter().map(|one| (one, entry_of(one))).collect();
        let file = self.set.path_of(squash.filename());
        let is_applied = |entry: Option<&Entry>| entry.is_some_and(Entry::is_finished);
        let mut drifts = Vec::new();
        if let Some((missing, entry)) = found.iter().find(|(_, entry)| !is_applied(*entry))
            && self.policy.half_done == Tolerance::Refuse
        {
            drifts.push(Drift::PartlyReplaced {
                version: squash.version().to_string(),
                file: file.clone(),
                first: squash.replaces().first().map(|one| one.version().to_string())?,
                present: found.iter().filter(|(_, entry)| is_applied(*entry)).count(),
                total: found.len(),
                missing: missing.version().to_string(),
                is_unfinished: entry.is_some(),
            });
        }
        if self.policy.edited == Tolerance::Refuse {
            let known = found.iter().filter_map(|(one, entry)| edited(one, (*entry)?, &file));
            drifts.extend(known);
        }
        self.drifts.append(&mut drifts);
        own.is_none().then_some(Cause::New)
    }
}

/// The deviation of a finished entry from what is replaced; a baseline has any text.
fn edited(one: &Replaced, entry: &Entry, file: &str) -> Option<Drift> {
    let recorded = entry.checksum.as_ref().filter(|_| entry.is_finished())?;
    let (version, file) = (one.version().to_string(), file.to_owned());
    if entry.checksum_algorithm != ALGORITHM {
        let algorithm = entry.checksum_algorithm.clone().into_owned();
        return Some(Drift::UnknownAlgorithm { version, file, algorithm });
    }
    let shown = |checksum: &str, manner: Option<&str>| {
        [Some(checksum), manner].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let is_same = one.checksum().is_written(recorded) && one.manner() == entry.manner();
    (!is_same).then(|| Drift::ReplacedEdited {
        version,
        file,
        recorded: shown(recorded, entry.manner()),
        embedded: shown(&one.checksum().to_string(), one.manner()),
        applied_at: entry.applied_at.clone(),
        applied_by: entry.applied_by.clone(),
    })
}
