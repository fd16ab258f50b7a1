//! Properties of every ledger: the plan equals that of a planner over maps, which does not depend on the
//! order of entries, and a settled ledger needs no plan. Random sets and ledgers often nearly agree, because
//! shortcuts fail there.

use std::collections::BTreeMap;

use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::{Cause, Plan, Policy, Tolerance, plan};
use migrate_set::set::{Migration, Migrations};
use migrate_set::settled::Settled;
use migrate_set::version::Version;
use migrate_source::check::{self, SetOptions, SourceFile};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A set of some of five versioned and three repeatable migrations.
fn set(chosen: [bool; 8]) -> Option<Migrations> {
    let names = ["V1__a", "V02__b", "V3__c", "V10__d", "V20240101__e", "R__f", "R__g", "R__h"];
    let files: Vec<SourceFile> = names
        .into_iter()
        .zip(chosen)
        .filter(|(_, is_chosen)| *is_chosen)
        .map(|(name, _)| SourceFile::new(format!("{name}.sql"), format!("SELECT '{name}';")))
        .collect();
    (!files.is_empty()).then(|| check::check("m", &files, &SetOptions::default()).unwrap().set)
}

/// An entry as it is drawn: which migration, and what is wrong with it.
#[derive(Debug, Clone)]
struct Drawn {
    key: (&'static str, Kind),
    is_edited: bool,
    progress: Option<u32>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    use Kind::{Repeatable, Versioned};
    let keys = vec![
        ("1", Versioned),
        ("02", Versioned),
        ("2", Versioned),
        ("3", Versioned),
        ("10", Versioned),
        ("20240101", Versioned),
        ("20250101", Versioned),
        ("f", Repeatable),
        ("g", Repeatable),
        ("h", Repeatable),
        ("z", Repeatable),
    ];
    let unfinished = prop_oneof![9 => Just(None), 1 => Just(Some(1))];
    (select(keys), prop::bool::weighted(0.1), unfinished)
        .prop_map(|(key, is_edited, progress)| Drawn { key, is_edited, progress })
}

fn entry(set: &Migrations, drawn: &Drawn) -> Entry {
    let (version, kind) = (Version::from_static(drawn.key.0), drawn.key.1);
    let own = set.iter().find(|m| *m.version() == version && m.kind() == kind);
    let checksum = own.filter(|_| !drawn.is_edited).map(|own| own.checksum().to_string());
    Entry {
        progress: drawn.progress,
        ran: drawn.progress.map(|_| format!("no-transaction {}", "0".repeat(64))),
        ..Entry::brief(version, kind, Some(checksum.unwrap_or_else(|| "0".repeat(64))))
    }
}

/// The ledger of a set that was applied, with `more` after it or instead.
fn ledger(set: &Migrations, applied: &[bool], more: &[Drawn]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (migration, _) in set.iter().zip(applied).filter(|(_, is_applied)| **is_applied) {
        let version = migration.version().clone();
        let checksum = Some(migration.checksum().to_string());
        let kind = migration.kind();
        let blank = Drawn { key: ("1", kind), is_edited: false, progress: None };
        entries.push(Entry { version, kind, checksum, ..entry(set, &blank) });
    }
    for drawn in more {
        let entry = entry(set, drawn);
        let same = entries.iter_mut().find(|e| e.version == entry.version && e.kind == entry.kind);
        match same {
            Some(same) => *same = entry,
            None => entries.push(entry),
        }
    }
    entries
}

/// What runs, what ran, what is ahead, and how much has drifted.
type Decision = Result<(Vec<(String, Cause)>, Vec<String>, Vec<String>), usize>;

/// The rules of the plan, each by itself, over maps.
fn reference(set: &Migrations, entries: &[Entry], policy: Policy) -> Decision {
    let mut by_key: BTreeMap<(bool, Version), &Entry> = entries
        .iter()
        .map(|entry| ((entry.kind == Kind::Versioned, entry.version.clone()), entry))
        .collect();
    let newest_applied = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Versioned && entry.progress.is_none())
        .map(|entry| entry.version.clone())
        .max();
    let newest = set.iter().filter(|m| m.kind() == Kind::Versioned).map(Migration::version).max();
    let is_newer = |version: &Version| newest.is_none_or(|newest| version > newest);
    let versioned = || entries.iter().filter(|entry| entry.kind == Kind::Versioned);
    let is_behind = versioned().any(|entry| is_newer(&entry.version));
    let (mut steps, mut applied, mut ahead, mut drifts) = (vec![], vec![], vec![], 0);
    for migration in set {
        let is_versioned = migration.kind() == Kind::Versioned;
        let version = migration.version();
        let Some(entry) = by_key.remove(&(is_versioned, version.clone())) else {
            let is_late = is_versioned && newest_applied.as_ref().is_some_and(|n| version < n);
            drifts += usize::from(is_late && policy.out_of_order == Tolerance::Refuse);
            steps.push((version.to_string(), Cause::New));
            continue;
        };
        let same = entry.checksum == Some(migration.checksum().to_string());
        let is_finished = entry.progress.is_none();
        let tolerance = if is_finished { policy.edited } else { policy.half_done };
        let differs = !same || !is_finished;
        drifts += usize::from(differs && is_versioned && tolerance == Tolerance::Refuse);
        let changed = differs && !is_versioned;
        match entry.progress {
            Some(done) if is_versioned => {
                steps.push((version.to_string(), Cause::Unfinished { done, in_flight: false }));
            }
            _ if changed && !is_behind => {
                steps.push((version.to_string(), Cause::Changed));
            }
            _ if changed && policy.ahead == Tolerance::Allow => ahead.push(version.to_string()),
            _ if changed => drifts += 1,
            _ => applied.push(version.to_string()),
        }
    }
    for ((_, version), entry) in by_key.into_iter().filter(|((is_versioned, _), _)| *is_versioned) {
        let is_ahead = newest.is_none_or(|newest| version > *newest);
        let tolerance = match (is_ahead, entry.progress) {
            (true, _) => policy.ahead,
            (false, Some(_)) => policy.half_done,
            (false, None) => policy.missing,
        };
        match tolerance {
            Tolerance::Refuse => drifts += 1,
            Tolerance::Allow if is_ahead => ahead.push(version.to_string()),
            Tolerance::Allow => {}
        }
    }
    if drifts == 0 { Ok((steps, applied, ahead)) } else { Err(drifts) }
}

fn decision(plan: &Plan<'_>) -> (Vec<(String, Cause)>, Vec<String>, Vec<String>) {
    let steps = plan.steps.iter().map(|s| (s.migration.version().to_string(), s.cause)).collect();
    let applied = plan.applied.iter().map(|(m, _)| m.version().to_string()).collect();
    let ahead = plan.ahead.iter().map(|entry| entry.version.to_string()).collect();
    (steps, applied, ahead)
}

/// What the runtime does with rows in this order: the entries that were not met, and the set.
fn settle<'s>(set: &'s Migrations, entries: &[Entry]) -> (Settled<'s>, Vec<Entry>) {
    let mut settled = Settled::new(set);
    let mut unmet = Vec::new();
    for entry in entries {
        let checksum = entry.checksum.as_deref().unwrap_or_default();
        let is_met = entry.progress.is_none()
            && settled.meets(
                entry.kind.as_str(),
                entry.version.as_str(),
                checksum,
                entry.ran.as_deref(),
            );
        if !is_met {
            unmet.push(entry.clone());
        }
    }
    (settled, unmet)
}

fn tolerance() -> impl Strategy<Value = Tolerance> {
    select(vec![Tolerance::Refuse, Tolerance::Allow])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn plans_are_those_of_a_planner_over_maps(
        chosen in any::<[bool; 8]>(),
        applied in vec(prop::bool::weighted(0.9), 8),
        more in vec(drawn(), 0..3),
        order in any::<u64>(),
        tolerances in (tolerance(), tolerance(), tolerance(), tolerance(), tolerance()),
    ) {
        let Some(set) = set(chosen) else { return Ok(()) };
        let (out_of_order, missing, edited, half_done, ahead) = tolerances;
        let policy =
            Policy { out_of_order, missing, edited, half_done, ahead, ..Policy::default() };
        let mut entries = ledger(&set, &applied, &more);
        let length = entries.len().max(1);
        entries.rotate_left(usize::try_from(order % 7).unwrap_or_default() % length);
        if order % 3 == 0 {
            entries.reverse();
        }
        let expected = reference(&set, &entries, policy);
        let got = |entries| match plan(&set, entries, &policy) {
            Ok(plan) => Ok(decision(&plan)),
            Err(drift) => Err(drift.0.len()),
        };
        prop_assert_eq!(got(entries.clone()), expected.clone());

        let (settled, unmet) = settle(&set, &entries);
        let is_settled = unmet.is_empty() && settled.is_whole();
        let all: Vec<String> = set.iter().map(|m| m.version().to_string()).collect();
        if is_settled {
            prop_assert_eq!(&expected, &Ok((vec![], all.clone(), vec![])));
        }
        let is_nothing_but_the_set = entries.len() == set.len()
            && entries.iter().all(|e| set.iter().any(|m| m.version().as_str() == e.version.as_str()));
        if is_nothing_but_the_set && expected == Ok((vec![], all, vec![])) && policy.edited == Tolerance::Refuse {
            prop_assert!(is_settled);
        }
        prop_assert_eq!(got(unmet.into_iter().chain(settled.entries()).collect()), expected);
    }
}
