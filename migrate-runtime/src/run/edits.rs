//! Changes only the ledger, in one transaction: baseline, accept, forget and adopt.

use migrate_set::digest::Running;
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::{Cause, Plan, Policy, Tolerance, plan};
use migrate_set::resume::manner;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

use super::action::Action;
use super::goal::{At, Goal};
use super::guards;
use super::hold::Hold;
use super::tally::Tally;
use crate::adopt::{Adoption, Found};
use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::LENIENT;
use crate::outcome::{Amended, Error, ErrorKind};
use crate::sql::{Commit, Contents, Extent, Place, Purpose, Reading};
use crate::wire::{Message, Part, ends_unknown};

/// Which edited migrations [`Migrator::accept`](crate::Migrator::accept) accepts; a version alone is one
/// of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Every one.
    All,
    /// The one of this version.
    Of(Version),
}

impl<V: Into<Version>> From<V> for Edited {
    fn from(version: V) -> Self {
        Edited::Of(version.into())
    }
}

/// One change: its statements, the migration that it is about, and a condition for it.
struct Change {
    condition: Option<String>,
    sql: Vec<String>,
    amended: Amended,
}

/// Where the next row goes.
struct Next {
    /// That of the row before it.
    position: i64,
    running: Running,
}

impl Next {
    fn of(tally: &Tally<'_>) -> Next {
        Next { position: tally.position, running: tally.running.clone() }
    }

    /// The place of a row whose change of the digests is `count`.
    fn place(&mut self, count: impl FnOnce(&mut Running)) -> Place {
        self.position += 1;
        count(&mut self.running);
        Place { position: self.position, digests: self.running.to_string() }
    }
}

/// The changes, or why there are none.
type Changes = Result<Vec<Change>, Error>;

/// What the entries alone decide.
trait Edit: Sync {
    fn changes(&self, cx: &Context<'_>, contents: Contents<'_>, next: &mut Next) -> Changes;
}

impl<E: Edit> Goal for E {
    fn word(&self) -> &'static str {
        AMEND
    }

    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>> {
        let cx = at.cx;
        boxed(edit(at, |contents, next| self.changes(cx, contents, next)))
    }
}

/// The word of every goal here.
const AMEND: &str = "amend";

/// Every migration up to this version without an entry gets one, without a checksum because nothing ran.
pub(crate) struct Baseline(pub(crate) Version);

impl Edit for Baseline {
    fn changes(&self, cx: &Context<'_>, contents: Contents<'_>, next: &mut Next) -> Changes {
        let Self(version) = self;
        let set = cx.migrator.set;
        let versioned = || set.iter().filter(|migration| migration.kind() == Kind::Versioned);
        if !versioned().any(|migration| migration.version() == version) {
            return Err(ErrorKind::UnknownVersion { version: version.to_string() }.into());
        }
        let lenient = Policy { out_of_order: Tolerance::Allow, ..cx.migrator.policy };
        let plan = plan(set, contents.entries, &lenient)?;
        let new = plan.steps.into_iter().filter(|step| step.cause == Cause::New);
        let new = new.map(|step| step.migration).filter(|migration| {
            migration.kind() == Kind::Versioned && migration.version() <= version
        });
        let change = |migration: &Migration| {
            let down = cx.down_sql(migration)?;
            let replaced = cx.ledger.record_replaced(migration, next.position, Extent::Nothing);
            next.position += Action::Apply(migration).rows() - 1;
            let place = next.place(|running| running.apply(migration));
            let own = cx.ledger.record(migration, down.as_deref(), &place, Extent::Nothing);
            let sql = replaced.into_iter().chain([own]).collect();
            Ok(Change { condition: None, sql, amended: amended(migration) })
        };
        new.map(change).collect()
    }
}

/// The checksums of edited migrations, and the versions of renumbered ones, become those of the set.
pub(crate) struct Accept(pub(crate) Edited);

impl Edit for Accept {
    fn changes(&self, cx: &Context<'_>, contents: Contents<'_>, next: &mut Next) -> Changes {
        let Self(edited) = self;
        let named = match edited {
            Edited::All => None,
            Edited::Of(version) => Some(version),
        };
        let version = named.map(|named| meant(cx.migrator.set, &contents.entries, named));
        let mut chosen = chosen(cx, contents.entries, version.as_ref())?;
        if let (Some(named), true) = (named, chosen.is_empty()) {
            return Err(no_entry(cx, named));
        }
        chosen.retain(|(migration, entry)| {
            !entry.is_finished()
                || entry.version != *migration.version()
                || entry.checksum.as_deref() != Some(migration.checksum().to_string().as_str())
                || entry.manner() != manner(migration)
        });
        let change = |(migration, entry): &(&Migration, _)| {
            let down = cx.down_sql(migration)?;
            let place = next.place(|running| running.accept(cx.migrator.set, entry, migration));
            let sql = vec![
                cx.ledger.note_act("accepted", entry, &place),
                cx.ledger.accept(migration, down.as_deref(), entry),
            ];
            Ok(Change { condition: as_read(cx, entry), sql, amended: amended(migration) })
        };
        chosen.iter().map(change).collect()
    }
}

/// The entry of this version ends.
pub(crate) struct Forget(pub(crate) Version);

impl Edit for Forget {
    fn changes(&self, cx: &Context<'_>, contents: Contents<'_>, next: &mut Next) -> Changes {
        Ok(vec![forget(cx, contents, &self.0, next)?])
    }
}

/// Migrations that another tool's table lists as applied count as applied.
impl Goal for Adoption {
    fn word(&self) -> &'static str {
        AMEND
    }

    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>> {
        boxed(async move {
            let At { cx, hold, tally } = at;
            let contents = hold.read(cx, tally, Reading::Entries).await?;
            let (found, unverified) = self.read(cx, &contents).await.map_err(Stop::of_read)?;
            let changes = adopt(cx, found, &mut Next::of(tally))?;
            change(cx, hold, tally, changes, Table::of(&contents)).await?;
            for note in unverified {
                tally.report.note(note);
            }
            Ok(())
        })
    }
}

/// Reads, decides and changes.
async fn edit<'r>(
    At { cx, hold, tally }: At<'_, 'r>,
    decide: impl FnOnce(Contents<'r>, &mut Next) -> Changes + Send,
) -> Result<(), Stop> {
    let contents = hold.read(cx, tally, Reading::Entries).await?;
    let table = Table::of(&contents);
    let changes = decide(contents, &mut Next::of(tally))?;
    change(cx, hold, tally, changes, table).await
}

/// Ends the entry of this version if its migration is unfinished.
pub(super) fn forget_unfinished<'a, 'r: 'a>(
    at: At<'a, 'r>,
    version: &'a Version,
) -> Boxed<'a, Result<(), Stop>> {
    let cx = at.cx;
    boxed(edit(at, move |contents, next| {
        let is_it = |entry: &Entry| entry.version == *version && !entry.is_finished();
        if !contents.entries.iter().any(is_it) {
            return Ok(Vec::new());
        }
        Ok(vec![forget(cx, contents, version, next)?])
    }))
}

/// Makes the changes, under the lock.
fn change<'a, 'r: 'a>(
    cx: &'a Context<'r>,
    hold: &'a mut Hold<'r>,
    tally: &'a mut Tally<'r>,
    changes: Vec<Change>,
    table: Table,
) -> Boxed<'a, Result<(), Stop>> {
    boxed(async move {
        if changes.is_empty() {
            return Ok(());
        }
        let at = tally.position;
        let table = hold.enter(cx, tally, table).await?;
        let conditions = changes.iter().filter_map(|change| change.condition.as_deref());
        let condition = conditions.fold("true".to_owned(), |all, one| format!("{all} AND {one}"));
        hold.lock.open(cx, (table, at), &condition).await?;
        send(cx, hold, tally, changes, table).await
    })
}

/// The version of the migration that a caller names, in the set or in the ledger.
fn meant(set: &Migrations, entries: &[Entry], named: &Version) -> Version {
    let of_ledger = entries.iter().find(|entry| named.means(&entry.version, &entry.filename));
    let of_ledger = || of_ledger.map_or(named, |entry| &entry.version);
    set.meant(named).unwrap_or_else(of_ledger).clone()
}

/// The applied and the renumbered migrations with their entries: all, or those of `version`.
fn chosen<'r>(
    cx: &Context<'r>,
    entries: Vec<Entry>,
    version: Option<&Version>,
) -> Result<Vec<(&'r Migration, Entry)>, Error> {
    let strict = Policy { renamed: Tolerance::Refuse, ..LENIENT };
    let policy = if version.is_some() { &LENIENT } else { &strict };
    let Plan { applied, renumbered, .. } = plan(cx.migrator.set, entries.clone(), policy)?;
    let is_source = renumbered
        .iter()
        .any(|(found, entry)| version == Some(&entry.version) && entry.version != *found.version());
    let is_chosen = |(migration, _): &(&Migration, Entry)| {
        migration.kind() == Kind::Versioned && version.is_none_or(|v| migration.version() == v)
    };
    let mut chosen: Vec<_> = applied.into_iter().filter(is_chosen).collect();
    let renumbered: Vec<_> = renumbered.into_iter().filter(is_chosen).collect();
    if is_source || !(renumbered.is_empty() || chosen.is_empty()) {
        // Its entry is that of another file, whose new version has to be recorded first.
        plan(cx.migrator.set, entries, &strict)?;
    }
    chosen.extend(renumbered);
    Ok(chosen)
}

/// The condition that an unfinished entry is as it was read: its progress changes without its position.
fn as_read(cx: &Context<'_>, entry: &Entry) -> Option<String> {
    let cause = Cause::Unfinished { done: entry.progress?, in_flight: entry.in_flight };
    Some(cx.ledger.as_planned((entry.kind, &entry.version), cause))
}

fn forget(
    cx: &Context<'_>,
    contents: Contents<'_>,
    version: &Version,
    next: &mut Next,
) -> Result<Change, Error> {
    let is_it = |entry: &Entry| version.means(&entry.version, &entry.filename);
    let entry = contents.entries.into_iter().find(is_it);
    let Some(entry) = entry else { return Err(no_entry(cx, version)) };
    let condition = as_read(cx, &entry);
    let place = next.place(|running| running.end(cx.migrator.set, &entry));
    let sql = vec![cx.ledger.end("forgotten", &entry, &place)];
    let (version, name) = (entry.version.to_string(), entry.name);
    Ok(Change { condition, sql, amended: Amended { version, name, filename: entry.filename } })
}

fn no_entry(cx: &Context<'_>, version: &Version) -> Error {
    ErrorKind::NoEntry { ledger: cx.ledger.shown(), version: version.to_string() }.into()
}

/// Migrations that another tool applied get entries, in its order.
fn adopt(cx: &Context<'_>, found: Vec<Found<'_>>, next: &mut Next) -> Changes {
    let change = |found: Found<'_>| {
        let down = cx.down_sql(found.migration)?;
        let (migration, is_verified) = (found.migration, found.taken.verified);
        let count = if is_verified { Running::apply } else { Running::adopt_unverified };
        let place = next.place(|running| count(running, migration));
        let sql = cx.ledger.adopt(found.migration, down.as_deref(), &place, &found.taken);
        Ok(Change { condition: None, sql: vec![sql], amended: amended(found.migration) })
    };
    found.into_iter().map(change).collect()
}

/// Sends the changes in one transaction.
async fn send<'r>(
    cx: &Context<'r>,
    hold: &Hold<'r>,
    tally: &mut Tally<'r>,
    changes: Vec<Change>,
    table: Table,
) -> Result<(), Stop> {
    let mut message = Message::new();
    cx.wire.begin(&mut message);
    if table == Table::Missing {
        guards::push_ledger(cx, hold, &mut message, Commit::Synchronous);
    }
    let purpose = Purpose::Edit { position: tally.position };
    message.push(Part::Guard, &hold.terms(cx).guard(purpose));
    for condition in changes.iter().filter_map(|change| change.condition.as_ref()) {
        let guard = hold.terms(cx).condition_guard(tally.position, condition);
        message.push(Part::Guard, &guard);
    }
    for sql in changes.iter().flat_map(|change| &change.sql) {
        message.push(Part::Record { step: 0 }, sql);
    }
    message.push(Part::Commit { step: 0 }, "COMMIT");
    let versions = || changes.iter().map(|change| change.amended.version.clone());
    tally.under_way = versions().collect();
    let outcome = cx.wire.send(message, &mut |_, _| {}).await;
    if let Some(failure) = outcome.failure {
        if failure.error.as_db_error().is_none_or(ends_unknown) {
            let (versions, source) = (versions().collect(), failure.error);
            return Err(ErrorKind::ConnectionLost { versions, is_citus: false, source }.into());
        }
        return Err(cx.refused(failure, outcome.completed).await);
    }
    tally.under_way.clear();
    tally.report.amended.extend(changes.into_iter().map(|change| change.amended));
    Ok(())
}

fn amended(migration: &Migration) -> Amended {
    Amended {
        version: migration.version().to_string(),
        name: migration.name().to_owned(),
        filename: migration.filename().to_owned(),
    }
}
