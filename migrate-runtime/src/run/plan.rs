//! Decides what a run does, and checks that all of it can be sent, before anything runs.

use std::slice;

use migrate_set::drift::{Drift, DriftReport};
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::{Cause, Plan, Step, plan};
use migrate_set::set::{Ends, Migration, Migrations, TransactionMode};
use migrate_set::version::Version;
use tokio_postgres::Client;

use super::action::Action;
use super::hold::Hold;
use super::tally::Tally;
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::{Limit, Migrator};
use crate::outcome::{Error, ErrorKind, Report};
use crate::sql::{Contents, Extent, Reading};

/// The migrations of a set that ran before.
#[derive(Debug, Clone)]
pub(super) enum Before<'r> {
    /// All, so that the set need not be read.
    All,
    /// These, in the order of the set.
    These(Vec<&'r Migration>),
}

impl<'r> Before<'r> {
    /// The migrations, in the order of the set.
    pub(super) fn of(self, set: &'r Migrations) -> Vec<&'r Migration> {
        match self {
            Before::All => set.iter().collect(),
            Before::These(list) => list,
        }
    }
}

/// The parts of a plan that a run needs.
#[derive(Debug)]
pub(super) struct Todo<'r> {
    /// The steps that will run, in order.
    pub(super) steps: Vec<Step<'r>>,
    /// The migrations that ran before.
    pub(super) applied: Before<'r>,
    /// The entries that are newer than the set.
    pub(super) ahead: Vec<Entry>,
}

impl<'r> Todo<'r> {
    fn of(plan: Plan<'r>) -> Self {
        Todo {
            steps: plan.steps,
            applied: Before::These(plan.applied.into_iter().map(|(one, _)| one).collect()),
            ahead: plan.ahead,
        }
    }

    /// The actions of the run, in order.
    pub(super) fn work(&self) -> Vec<(Action<'r>, Cause)> {
        let action = |step: &Step<'r>| (Action::Apply(step.migration), step.cause);
        self.steps.iter().map(action).collect()
    }
}

/// The plan for these entries: [`Migrator::decide`] or [`Migrator::foresee`].
pub(super) type Decide<'r> = fn(&Migrator<'r>, Vec<Entry>) -> Result<Plan<'r>, Error>;

/// Reads the columns that a plan needs, and plans. If ledger and set disagree, if a step is unfinished
/// or changed, or if another run holds the lock row, it reads the other columns too, for the report.
pub(super) async fn read<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    by: Decide<'r>,
) -> Result<(Todo<'r>, Table), Stop> {
    let contents = hold.read(cx, tally, cx.migrator.reading()).await?;
    let (table, is_locked) = (Table::of(&contents), contents.is_locked);
    let is_brief = contents.is_brief;
    // The steps that depend on what a brief read leaves out.
    let needs_more = |step: &Step<'_>| is_locked || is_brief && step.cause != Cause::New;
    match decide(cx, tally, contents, Migrator::decide) {
        Ok(todo) if !todo.steps.iter().any(needs_more) => Ok((todo, table)),
        Err(error) if error.drift().is_none() => Err(error.into()),
        Ok(_) | Err(_) => {
            let contents = hold.read(cx, tally, Reading::Entries).await?;
            let table = Table::of(&contents);
            Ok((decide(cx, tally, contents, by)?, table))
        }
    }
}

/// Decides what runs, and checks that all of it can be sent.
fn decide<'r>(
    cx: &Context<'r>,
    tally: &mut Tally<'r>,
    contents: Contents<'_>,
    by: Decide<'r>,
) -> Result<Todo<'r>, Error> {
    let migrator = cx.migrator;
    let todo = if contents.is_settled() && migrator.limit == Limit::None {
        Todo { steps: Vec::new(), applied: Before::All, ahead: Vec::new() }
    } else {
        Todo::of(by(migrator, contents.into_entries())?)
    };
    migrator.check_peer(&todo.steps)?;
    let is_new = todo.steps.iter().all(|step| step.cause == Cause::New);
    tally.extent = if is_new { Extent::First } else { Extent::Whole };
    tally.at_start.get_or_insert_with(|| todo.applied.clone());
    todo.steps.iter().try_for_each(|step| check(cx, step.migration))?;
    Ok(todo)
}

/// Checks that a migration can be sent.
pub(super) fn check(cx: &Context<'_>, migration: &Migration) -> Result<(), Error> {
    check_placeholders(cx, migration)?;
    check_function(cx, migration)
}

fn check_function(cx: &Context<'_>, migration: &Migration) -> Result<(), Error> {
    let is_given = cx.migrator.calls.versions().any(|known| known == migration.version());
    if migration.up().ends() == Ends::WithFunction && !is_given {
        let (file, version) = (cx.path_of(migration.up()), migration.version().to_string());
        return Err(ErrorKind::NoFunction { file, version }.into());
    }
    Ok(())
}

fn check_placeholders(cx: &Context<'_>, migration: &Migration) -> Result<(), Error> {
    let scripts = std::iter::once(migration.up()).chain(migration.down());
    for script in scripts.filter(|script| !script.placeholders().is_empty()) {
        cx.migrator.sql_of(script)?;
    }
    Ok(())
}

/// The report of a set that is up to date with these contents of its ledger, otherwise `None`.
pub(crate) fn up_to_date(
    migrator: &Migrator<'_>,
    client: &Client,
    contents: Contents<'_>,
) -> Result<Option<Report>, Error> {
    let cx = Context::new(migrator, client);
    let mut tally = Tally::new(Hold::new(&cx).lock.kind());
    let passes = |drift: &DriftReport| begins_again(migrator, drift) || drift.is_partly_replaced();
    let todo = match decide(&cx, &mut tally, contents, Migrator::decide) {
        Err(error) if error.drift().is_some_and(passes) => return Ok(None),
        todo => todo?,
    };
    if !todo.steps.is_empty() {
        return Ok(None);
    }
    tally.finish(&cx, todo);
    tally.report.elapsed = cx.started.elapsed();
    Ok(Some(tally.report))
}

/// Whether a run overcomes `drift`: the caller wants all of these unfinished migrations to begin again.
pub(crate) fn begins_again(migrator: &Migrator<'_>, drift: &DriftReport) -> bool {
    given_up(&migrator.forgets, drift).is_some()
}

/// An unfinished migration that the caller wants to begin again, if nothing else is against the run.
pub(super) fn given_up(forgets: &[Version], drift: &DriftReport) -> Option<Version> {
    let is_given_up = |drift: &Drift| match drift {
        Drift::HalfDone { version, .. } => {
            forgets.iter().find(|given| **given == Version::new(version.clone()))
        }
        _ => None,
    };
    let found: Option<Vec<_>> = drift.0.iter().map(is_given_up).collect();
    found?.first().map(|version| (*version).clone())
}

/// The statements of a plan as text.
pub(crate) fn script(migrator: &Migrator<'_>, plan: &Plan<'_>) -> Result<String, Error> {
    let mut text = String::new();
    for step in &plan.steps {
        let script = step.migration.up();
        let file = migrator.set.path_of(script.filename());
        let sql = migrator.sql_of(script)?;
        let mode = match script.transaction() {
            TransactionMode::Transactional => "",
            TransactionMode::NonTransactional => ", outside a transaction",
        };
        let ends = match script.ends() {
            Ends::WithSql => "",
            Ends::WithFunction => "-- and then its function\n",
        };
        text += &["-- ", &file, mode, "\n", &sql, ends, "\n"].concat();
    }
    Ok(text)
}

impl<'s> Migrator<'s> {
    /// The plan of a run: it first ends the entries of unfinished migrations that begin again.
    pub(crate) fn foresee(&self, mut entries: Vec<Entry>) -> Result<Plan<'s>, Error> {
        if self.forgets.is_empty() {
            return self.decide(entries);
        }
        loop {
            let decided = self.decide(entries.clone());
            let drift = decided.as_ref().err().and_then(Error::drift);
            let version = drift.and_then(|drift| given_up(&self.forgets, drift));
            let Some(version) = version else { return decided };
            entries.retain(|entry| entry.is_finished() || entry.version != version);
        }
    }

    /// The plan for these entries, within the limit.
    pub(crate) fn decide(&self, entries: Vec<Entry>) -> Result<Plan<'s>, Error> {
        let mut plan = plan(self.set, entries, &self.policy)?;
        let versions = match &self.limit {
            Limit::None => return Ok(plan),
            Limit::To(version) => slice::from_ref(version),
            Limit::Only(versions) => versions,
        };
        let is_one = |migration: &Migration| versions.contains(migration.version());
        let named = self.set.iter().find(|migration| is_one(migration));
        if let (Some(first), None) = (versions.first(), named) {
            return Err(ErrorKind::UnknownVersion { version: first.to_string() }.into());
        }
        plan.steps.retain(|Step { migration, .. }| match (&self.limit, named) {
            (Limit::To(_), Some(last)) => is_up_to(migration, last),
            _ => is_one(migration),
        });
        Ok(plan)
    }
}

/// Whether `migration` is `last`, or runs before it: repeatable migrations follow the versioned ones.
fn is_up_to(migration: &Migration, last: &Migration) -> bool {
    match (migration.kind(), last.kind()) {
        (Kind::Versioned, Kind::Repeatable) => true,
        (Kind::Repeatable, Kind::Versioned) => false,
        _ => migration.version() <= last.version(),
    }
}
