//! The verbs that run migrations: `up`, `down`, `redo`. Those that undo ask for confirmation first.

use std::io::{self, Write as _};

use anstream::AutoStream;
use migrate_runtime::{Applied, Migrator, Report, Trial, internal};
use migrate_set::rollback::{Rollback, Undo};
use migrate_set::set::TransactionMode;
use tokio_postgres::Client;

use super::args::{Down, Output, Up};
use super::connection::Place;
use super::consent::ask;
use super::exit::Exit;
use super::fault::Fault;
use super::interrupt::{Cancel, interruptible};
use super::json::{AppliedBody, Body, RunBody, TrialBody, UndoBody, UndoRowBody, millis};
use super::page::{
    Align, Answer, Cell, FAINT, OPEN, Table, choice, counted, deed, moment, shown, styled, took,
};
use super::paint::{note as line_of_note, reworded};
use super::show::{limited, plan};
use super::watch::Watch;

/// What every verb with a database needs.
pub(super) struct About<'a> {
    pub(super) migrator: Migrator<'a>,
    pub(super) place: &'a Place,
    pub(super) output: &'a Output,
    /// How a run is cancelled; `None` if the command line does not do that.
    pub(super) cancel: Option<Cancel>,
}

impl About<'_> {
    /// A first line that names the database and the ledger.
    pub(super) fn head(&self) -> String {
        let ledger = internal::ledger_table(&self.migrator);
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
    let (doing, done_word) = if up.trial { ("trying", "Tried") } else { ("applying", "Applied") };
    let watch = Watch::begin(about.output, &format!("{doing} pending migrations"), done_word);
    let migrator = watch.over(limited(&about.migrator, &up.limit));
    if up.trial {
        let trial = interruptible(about.cancel.take(), migrator.trial(client)).await?;
        drop(watch);
        return Ok(tried(about.output, &trial));
    }
    let report = interruptible(about.cancel.take(), migrator.run(client)).await?;
    drop(watch);
    Ok(done(about.output, &report))
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
        return Ok(done(about.output, &Report::default()));
    }
    show_scripts(about.output, &undos);
    ask(about.output, &format!("undo {} in {}", versions(&undos), about.place))?;
    let watch = Watch::begin(about.output, &format!("undoing {}", versions(&undos)), "Applied");
    let migrator = watch.over(about.migrator.clone());
    let undo = migrator.rollback(client, down.target());
    let report = interruptible(about.cancel.take(), undo).await?;
    drop(watch);
    Ok(done(about.output, &report))
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

/// Shows the scripts that come from the ledger, before the question: the set does not have them.
fn show_scripts(output: &Output, undos: &[Undo<'_>]) {
    if !output.json {
        let mut stderr = AutoStream::new(io::stderr(), choice(output));
        let _ = stderr.write_all(scripts(undos).as_bytes());
    }
}

/// The scripts that come from the ledger, each with who applied its migration.
fn scripts(undos: &[Undo<'_>]) -> String {
    let mut text = String::new();
    for undo in undos.iter().filter(|undo| undo.is_from_ledger()) {
        let (version, by) = (&undo.entry.version, &undo.entry.applied_by);
        let note = format!(
            "version {version}, applied by {by}, is undone by this script from the ledger:"
        );
        text += &line_of_note(&shown(&note));
        text.extend(sql_of(undo).lines().map(|line| format!("    {}\n", shown(line))));
    }
    text
}

/// What undoes a migration. In the set's file, other things surround it.
fn sql_of(undo: &Undo<'_>) -> String {
    let script = undo.script();
    if undo.is_from_ledger() {
        return script.text().to_owned();
    }
    let statements = script.statements().map(|(start, end)| &script.text()[start..end]);
    statements.flat_map(|statement| [statement, ";\n"]).collect()
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
        from: if undo.is_from_ledger() { "ledger" } else { "set" },
        sql: sql_of(undo),
    };
    let rows: Vec<UndoRowBody> = undos.iter().map(row).collect();
    for row in &rows {
        let remarks = [
            (!row.transactional).then_some("outside a transaction"),
            (row.from == "ledger").then_some("script from the ledger"),
        ];
        let remark = remarks.into_iter().flatten().collect::<Vec<_>>().join("; ");
        table.row(vec![
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&moment(&row.applied_at), FAINT),
            Cell::new(&row.applied_by, FAINT),
            Cell::new(&remark, OPEN),
        ]);
    }
    let what = format!("{} would be undone", counted(rows.len(), "migration"));
    let table = if rows.is_empty() { String::new() } else { table.show() };
    let (head, scripts) = (about.head(), scripts(undos));
    let text = format!("{head}{table}{scripts}{}\n", styled(OPEN, &what));
    Answer { exit: Exit::Fine, text, body: Body::Undo(UndoBody { undo: rows }) }
}

pub(super) async fn redo(about: &mut About<'_>, client: &mut Client) -> Result<Answer, Fault> {
    let undos = about.migrator.plan_rollback(client, Rollback::Steps(1)).await?;
    if undos.is_empty() {
        return Ok(done(about.output, &Report::default()));
    }
    let what = versions(&undos);
    show_scripts(about.output, &undos);
    ask(about.output, &format!("undo {what} in {} and apply it again", about.place))?;
    let watch = Watch::begin(about.output, &format!("redoing {what}"), "Applied");
    let migrator = watch.over(about.migrator.clone());
    let report = interruptible(about.cancel.take(), migrator.redo(client)).await?;
    drop(watch);
    Ok(done(about.output, &report))
}

/// What a run did.
pub(super) fn done(output: &Output, report: &Report) -> Answer {
    let text = deeds(output, report) + &finished(report) + &notes(&report.notes);
    Answer { exit: Exit::Fine, text, body: Body::Run(RunBody::new(report)) }
}

/// A line for each migration that a run changed, whether it succeeded or not; without those that
/// were already shown while it ran.
pub(super) fn deeds(output: &Output, report: &Report) -> String {
    let mut text = String::new();
    if !Watch::is_seen(output) {
        text.extend(report.undone.iter().map(|one| line_of("Undone", one)));
        text.extend(report.applied.iter().map(|one| line_of("Applied", one)));
    }
    text.extend(report.amended.iter().map(|one| deed("Recorded", &one.filename)));
    text
}

/// The line of one migration.
pub(super) fn line_of(word: &str, one: &Applied) -> String {
    deed(word, &format!("{} ({})", one.filename, took(one.duration)))
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
        (false, said) if said.is_empty() => deed("Unchanged", "nothing to do"),
        (false, said) => deed("Up to date", &said),
    }
}

fn tried(output: &Output, trial: &Trial) -> Answer {
    let mut text = String::new();
    if !Watch::is_seen(output) {
        text.extend(trial.ran.iter().map(|one| line_of("Tried", one)));
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
