//! The verbs that run migrations: `up`, `down`, `redo`.
//! A migrator, a client and options go in; what was done comes out, a line a migration.
//! What takes something away asks first.

use migrate_core::rollback::{Target as Rollback, Undo};
use migrate_core::sql::directive::TransactionMode;
use tokio_postgres::Client;

use super::args::{Down, Output, Up};
use super::connection::Place;
use super::consent::ask;
use super::exit::Exit;
use super::fault::Fault;
use super::interrupt::{Cancel, interruptible};
use super::json::{AppliedBody, Body, RunBody, TrialBody, UndoBody, UndoRowBody, millis};
use super::page::{
    Align, Answer, Cell, FAINT, OPEN, Table, counted, deed, moment, shown, styled, took,
};
use super::paint::{note as line_of_note, reworded};
use super::show::{limited, plan};
use super::watch::Watch;
use crate::migrator::Migrator;
use crate::report::{Applied, Report, Trial};

/// What every verb with a database is told.
pub(super) struct About<'a> {
    pub(super) migrator: Migrator<'a>,
    pub(super) place: &'a Place,
    pub(super) output: &'a Output,
    /// How a run is cut; `None` where that is not for the command line to do.
    pub(super) cancel: Option<Cancel>,
}

impl About<'_> {
    /// A first line that says which database and which ledger this is about.
    pub(super) fn head(&self) -> String {
        let ledger = self.migrator.ledger().shown();
        let line = match &self.place.server {
            Some(_) => format!("{}, ledger {ledger}", self.place),
            None => format!("ledger {ledger}"),
        };
        let line = shown(&line);
        format!("{}\n", styled(FAINT, &line))
    }
}

pub(super) async fn up(
    about: &mut About<'_>,
    client: &mut Client,
    up: &Up,
) -> Result<Answer, Fault> {
    if up.dry_run {
        return plan(about, client, &up.limit, false).await;
    }
    let migrator = limited(&about.migrator, &up.limit);
    let doing = if up.trial { "trying" } else { "applying" };
    let watch = watch(about, client, &migrator, doing).await;
    if up.trial {
        let trial = interruptible(about.cancel.take(), migrator.trial(client)).await?;
        drop(watch);
        return Ok(tried(&trial));
    }
    let report = interruptible(about.cancel.take(), migrator.run(client)).await?;
    drop(watch);
    Ok(done(&report))
}

/// A line that moves while it goes on. What is pending is read for it only where it is seen.
async fn watch(
    about: &About<'_>,
    client: &Client,
    migrator: &Migrator<'_>,
    doing: &str,
) -> Option<Watch> {
    if !Watch::is_seen(about.output) {
        return None;
    }
    // What is wrong with the ledger is the run's to tell.
    let plan = migrator.plan(client).await.ok()?;
    let what = match plan.steps.as_slice() {
        [] => return None,
        [one] => format!("{doing} {}", one.migration.filename()),
        [first, .., last] => format!(
            "{doing} {} migrations, {} to {}",
            plan.steps.len(),
            first.migration.version(),
            last.migration.version()
        ),
    };
    Some(Watch::begin(about.output, shown(&what)))
}

pub(super) async fn down(
    about: &mut About<'_>,
    client: &mut Client,
    down: &Down,
) -> Result<Answer, Fault> {
    let undos = about.migrator.plan_rollback(client, down.target()).await?;
    if down.dry_run {
        return Ok(would_undo(about, &undos));
    }
    if undos.is_empty() {
        return Ok(done(&Report::default()));
    }
    ask(about.output, &format!("undo {} of {}", versions(&undos), about.place))?;
    let watch = Watch::begin(about.output, format!("undoing {}", versions(&undos)));
    let undo = about.migrator.rollback(client, down.target());
    let report = interruptible(about.cancel.take(), undo).await?;
    drop(watch);
    Ok(done(&report))
}

fn versions(undos: &[Undo<'_>]) -> String {
    let versions: Vec<&str> = undos.iter().map(|undo| undo.entry.version.as_str()).collect();
    match versions.as_slice() {
        [one] => format!("version {one}"),
        few if few.len() < 10 => format!("{} migrations ({})", few.len(), few.join(", ")),
        [first, .., last] => format!("{} migrations ({first} down to {last})", versions.len()),
        [] => "nothing".to_owned(),
    }
}

fn would_undo(about: &About<'_>, undos: &[Undo<'_>]) -> Answer {
    let mut table = Table::new(&[
        ("version", Align::Left),
        ("name", Align::Cut),
        ("applied (UTC)", Align::Left),
        ("by", Align::Cut),
        ("remarks", Align::Left),
    ]);
    let row = |undo: &Undo<'_>| UndoRowBody {
        version: undo.entry.version.to_string(),
        name: undo.entry.name.clone(),
        file: undo.entry.filename.clone(),
        applied_at: undo.entry.applied_at.clone(),
        applied_by: undo.entry.applied_by.clone(),
        transactional: undo.script().transaction() == TransactionMode::Transactional,
    };
    let rows: Vec<UndoRowBody> = undos.iter().map(row).collect();
    for row in &rows {
        let remark = if row.transactional { "" } else { "outside a transaction" };
        table.row(vec![
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&moment(&row.applied_at), FAINT),
            Cell::new(&row.applied_by, FAINT),
            Cell::new(remark, OPEN),
        ]);
    }
    let what = format!("{} would be undone", counted(rows.len(), "migration"));
    let table = if rows.is_empty() { String::new() } else { table.show() };
    let text = format!("{}{table}{}\n", about.head(), styled(OPEN, &what));
    Answer { exit: Exit::Fine, text, body: Body::Undo(UndoBody { undo: rows }) }
}

pub(super) async fn redo(about: &mut About<'_>, client: &mut Client) -> Result<Answer, Fault> {
    let undos = about.migrator.plan_rollback(client, Rollback::Steps(1)).await?;
    if undos.is_empty() {
        return Ok(done(&Report::default()));
    }
    let what = versions(&undos);
    ask(about.output, &format!("undo {what} of {} and apply it again", about.place))?;
    let watch = Watch::begin(about.output, format!("redoing {what}"));
    let report = interruptible(about.cancel.take(), about.migrator.redo(client)).await?;
    drop(watch);
    Ok(done(&report))
}

/// What a run did.
pub(super) fn done(report: &Report) -> Answer {
    let text = deeds(report) + &finished(report) + &notes(&report.notes);
    Answer { exit: Exit::Fine, text, body: Body::Run(RunBody::new(report)) }
}

/// A line for each migration that a run did something to, ended well or not.
pub(super) fn deeds(report: &Report) -> String {
    let line = |word: &str, one: &Applied| {
        deed(word, &format!("{} ({})", one.filename, took(one.duration)))
    };
    let mut text = String::new();
    for one in &report.undone {
        text += &line("Undone", one);
    }
    for one in &report.applied {
        text += &line("Applied", one);
    }
    for one in &report.amended {
        text += &deed("Recorded", &one.filename);
    }
    text
}

fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| line_of_note(&shown(&reworded(note)))).collect()
}

fn finished(report: &Report) -> String {
    let counts = [
        (report.undone.len(), "undone"),
        (report.applied.len(), "applied"),
        (report.amended.len(), "recorded"),
    ];
    let did = counts.iter().any(|(n, _)| *n > 0);
    let before = (report.skipped.len(), "applied before");
    let ahead = (report.ahead.len(), "newer than this set");
    let said = counts.into_iter().chain([before, ahead]).filter(|(n, _)| *n > 0);
    let said: Vec<String> = said.map(|(n, what)| format!("{n} {what}")).collect();
    match (did, said.join(", ")) {
        (true, said) => deed("Finished", &format!("{said}, in {}", took(report.elapsed))),
        (false, said) if said.is_empty() => deed("Unchanged", "nothing is to be done"),
        (false, said) => deed("Up to date", &said),
    }
}

fn tried(trial: &Trial) -> Answer {
    let mut text = String::new();
    for one in &trial.ran {
        text += &deed("Tried", &format!("{} ({})", one.filename, took(one.duration)));
    }
    let what = match trial.ran.len() {
        0 => deed("Up to date", "nothing to try"),
        n => deed("Finished", &format!("{n} tried and undone, in {}", took(trial.elapsed))),
    };
    text += &what;
    text += &notes(&trial.notes);
    let body = Body::Trial(TrialBody {
        ran: trial.ran.iter().map(AppliedBody::new).collect(),
        notes: trial.notes.clone(),
        elapsed_ms: millis(trial.elapsed),
    });
    Answer { exit: Exit::Fine, text, body }
}
