//! The verbs that only read: `status`, `plan`, `verify`, `history`. `status` shows drift and exits
//! with its code; for the others drift is an error.

use std::fs;
use std::path::Path;

use migrate_runtime::ledger::{Act, HistoryRow};
use migrate_runtime::status::{State, StatusRow};
use migrate_runtime::{Error, ErrorKind, Migrator, Status, internal};
use migrate_set::drift::Drift;
use migrate_set::plan::{Cause, Plan, Step};
use migrate_set::set::TransactionMode;
use migrate_set::version::Version;
use tokio_postgres::Client;

use super::args::Limit;
use super::exit::Exit;
use super::fault::Fault;
use super::html::page;
use super::json::{
    Body, DriftBody, HistoryBody, HistoryRowBody, PlanBody, StatusBody, StatusRowBody, StepBody,
    drift_parts, millis,
};
use super::page::{
    ASIDE, Align, Answer, BAD, Cell, FAINT, GOOD, OPEN, Table, counted, deed, moment, shown,
    styled, took,
};
use super::paint::{self, reworded};
use super::run::About;

pub(super) async fn status(
    about: &About<'_>,
    client: &Client,
    html: Option<&Path>,
) -> Result<Answer, Fault> {
    let status = about.migrator.status(client).await?;
    let rows = rows(&status);
    let drifts = status.drift.as_ref().map_or(&[][..], |report| report.0.as_slice());
    let pending = status.pending();
    let exit = match (drifts.len(), pending) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Pending,
        _ => Exit::Drift,
    };
    let ledger = internal::ledger_table(&about.migrator);
    let mut text = about.head();
    if !rows.is_empty() {
        text += &table(&rows);
    }
    text += &summary(&rows, pending);
    for drift in drifts {
        text += &paint::drift(&reworded(&format!("{drift}\nhelp: {}", drift.help())));
    }
    text += &writers(&status);
    let body = StatusBody {
        database: about.place.database.clone(),
        server: about.place.server.clone(),
        ledger,
        module: internal::set(&about.migrator).module().to_owned(),
        pending,
        migrations: rows,
        drift: drifts.iter().map(DriftBody::new).collect(),
        writers: status.writers.clone(),
        html: html.map(|file| file.to_string_lossy().into_owned()),
    };
    if let Some(file) = html {
        text += &write_page(about, client, &body, file).await?;
    }
    Ok(Answer { exit, text, body: Body::Status(body) })
}

/// The note on roles that may write the ledger.
fn writers(status: &Status) -> String {
    match status.writers.as_slice() {
        [] => String::new(),
        roles => {
            paint::note(&shown(&format!("the ledger can also be written by {}", roles.join(", "))))
        }
    }
}

async fn write_page(
    about: &About<'_>,
    client: &Client,
    body: &StatusBody,
    file: &Path,
) -> Result<String, Fault> {
    let history = about.migrator.history(client).await?;
    let written = fs::write(file, page(body, &history));
    written.map_err(|source| Fault::File { file: file.to_owned(), source })?;
    Ok(deed("Wrote", &file.to_string_lossy()))
}

/// The rows of the status, with drift as their state.
fn rows(status: &Status) -> Vec<StatusRowBody> {
    let mut rows: Vec<StatusRowBody> = status.migrations.iter().map(row).collect();
    let drifts = status.drift.iter().flat_map(|report| &report.0);
    for drift in drifts {
        let (kind, version, file) = drift_parts(drift);
        if let Drift::Missing { applied_at, applied_by, .. } = drift {
            let missing = StatusRowBody {
                version: version.to_owned(),
                name: String::new(),
                file: file.to_owned(),
                state: kind,
                applied_at: Some(applied_at.clone()),
                applied_by: Some(applied_by.clone()),
                duration_ms: None,
                statements_done: None,
                in_flight: None,
            };
            let at = Version::new(version.to_owned());
            let behind = |row: &StatusRowBody| Version::new(row.version.clone()) > at;
            let place = rows.iter().position(behind).unwrap_or(rows.len());
            rows.insert(place, missing);
        } else if let Some(row) = rows.iter_mut().find(|row| row.version == version) {
            row.state = kind;
        }
    }
    rows
}

fn row(row: &StatusRow) -> StatusRowBody {
    let (mut applied_at, mut applied_by, mut duration_ms) = (None, None, None);
    let (mut statements_done, mut unknown) = (None, None);
    match &row.state {
        State::Applied { at, by, duration } => {
            (applied_at, applied_by) = (Some(at.clone()), Some(by.clone()));
            duration_ms = Some(millis(*duration));
        }
        State::Ahead { at, by } => {
            (applied_at, applied_by) = (Some(at.clone()), Some(by.clone()));
        }
        State::Unfinished { done, in_flight } => {
            (statements_done, unknown) = (Some(*done), Some(*in_flight));
        }
        // Pending: nothing is known of it.
        _ => {}
    }
    StatusRowBody {
        version: row.version.clone(),
        name: row.name.clone(),
        file: row.filename.clone(),
        state: row.state.as_str(),
        applied_at,
        applied_by,
        duration_ms,
        statements_done,
        in_flight: unknown,
    }
}

fn table(rows: &[StatusRowBody]) -> String {
    let mut table = Table::new(&[
        ("version", Align::Left),
        ("name", Align::Cut),
        ("state", Align::Left),
        ("applied (UTC)", Align::Left),
        ("took", Align::Right),
        ("by", Align::Cut),
    ]);
    for row in rows {
        let style = match row.state {
            "applied" => GOOD,
            "pending" => OPEN,
            "ahead" => ASIDE,
            _ => BAD,
        };
        let name = if row.name.is_empty() { &row.file } else { &row.name };
        let at = row.applied_at.as_deref().map(moment).unwrap_or_default();
        let time = row.duration_ms.map(|ms| took(std::time::Duration::from_millis(ms)));
        table.row(vec![
            Cell::plain(&row.version),
            Cell::plain(name),
            Cell::new(&row.state.replace('_', " "), style),
            Cell::new(&at, FAINT),
            Cell::new(&time.unwrap_or_default(), FAINT),
            Cell::new(row.applied_by.as_deref().unwrap_or_default(), FAINT),
        ]);
    }
    table.show()
}

/// `3 migrations: 2 applied, 1 pending`.
fn summary(rows: &[StatusRowBody], pending: usize) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        match states.iter_mut().find(|(state, _)| *state == row.state) {
            Some((_, n)) => *n += 1,
            None => states.push((row.state, 1)),
        }
    }
    let each: Vec<String> =
        states.iter().map(|(state, n)| format!("{n} {}", state.replace('_', " "))).collect();
    let style = if pending == 0 { GOOD } else { OPEN };
    let counts = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
    styled(style, &format!("{}{counts}", counted(rows.len(), "migration"))) + "\n"
}

pub(super) async fn plan(
    about: &About<'_>,
    client: &Client,
    limit: &Limit,
    sql: bool,
) -> Result<Answer, Fault> {
    let migrator = limited(&about.migrator, limit);
    let plan = migrator.plan(client).await?;
    let sql = if sql { Some(migrator.script(&plan)?) } else { None };
    let text = match &sql {
        Some(sql) => sql.clone(),
        None => about.head() + &steps(&plan),
    };
    let body = Body::Plan(PlanBody { steps: plan.steps.iter().map(step).collect(), sql });
    Ok(Answer { exit: Exit::Fine, text, body })
}

/// The migrator, limited to the migrations that the options name.
pub(super) fn limited<'s>(migrator: &Migrator<'s>, limit: &Limit) -> Migrator<'s> {
    match (&limit.to, &limit.only) {
        (Some(version), _) => migrator.clone().to(version),
        (None, Some(version)) => migrator.clone().only(version),
        (None, None) => migrator.clone(),
    }
}

fn step(step: &Step<'_>) -> StepBody {
    let script = step.migration.up();
    StepBody {
        version: step.migration.version().to_string(),
        name: step.migration.name().to_owned(),
        file: step.migration.filename().to_owned(),
        cause: match step.cause {
            Cause::New => "new",
            Cause::Changed => "changed",
            Cause::Unfinished { .. } => "unfinished",
        },
        transactional: script.transaction() == TransactionMode::Transactional,
        statements: script.statements().len(),
    }
}

fn steps(plan: &Plan<'_>) -> String {
    if plan.steps.is_empty() {
        return deed("Up to date", &format!("{} applied", plan.applied.len()));
    }
    let mut table = Table::new(&[
        ("version", Align::Left),
        ("name", Align::Cut),
        ("statements", Align::Right),
        ("remarks", Align::Left),
    ]);
    for one in plan.steps.iter().map(step) {
        let mut remarks = Vec::new();
        match one.cause {
            "changed" => remarks.push("repeatable, changed"),
            "unfinished" => remarks.push("unfinished, will continue"),
            _ => {}
        }
        if !one.transactional {
            remarks.push("outside a transaction");
        }
        table.row(vec![
            Cell::plain(&one.version),
            Cell::plain(&one.name),
            Cell::new(&one.statements.to_string(), FAINT),
            Cell::new(&remarks.join("; "), OPEN),
        ]);
    }
    let pending = counted(plan.steps.len(), "migration");
    format!("{}{}\n", table.show(), styled(OPEN, &format!("{pending} pending")))
}

pub(super) async fn verify(about: &About<'_>, client: &Client) -> Result<Answer, Fault> {
    let status = about.migrator.status(client).await?;
    if let Some(drift) = status.drift {
        return Err(Error::from(ErrorKind::Drift { drift }).into());
    }
    let rows = || status.migrations.iter().filter(|row| !matches!(row.state, State::Ahead { .. }));
    let pending = rows().filter(|row| !matches!(row.state, State::Applied { .. }));
    let versions: Vec<String> = pending.map(|row| row.version.clone()).collect();
    if !versions.is_empty() {
        return Err(Error::from(ErrorKind::Pending { versions }).into());
    }
    let text = deed("Verified", &format!("{} applied, nothing pending", rows().count()));
    let text = text + &writers(&status);
    Ok(Answer { exit: Exit::Fine, text, body: Body::Verify { pending: versions } })
}

pub(super) async fn history(about: &About<'_>, client: &Client) -> Result<Answer, Fault> {
    let history = about.migrator.history(client).await?;
    let mut text = about.head();
    text += &match history.as_slice() {
        [] => "the history is empty\n".to_owned(),
        rows => past(rows),
    };
    let entry = |row: HistoryRow| HistoryRowBody {
        position: row.position,
        act: row.act.as_str(),
        version: row.version,
        name: row.name,
        file: row.filename,
        checksum: row.checksum,
        at: row.at,
        by: row.by,
        duration_ms: millis(row.duration),
    };
    let body = Body::History(HistoryBody {
        ledger: internal::ledger_table(&about.migrator),
        module: internal::set(&about.migrator).module().to_owned(),
        entries: history.into_iter().map(entry).collect(),
    });
    Ok(Answer { exit: Exit::Fine, text, body })
}

fn past(rows: &[HistoryRow]) -> String {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("when (UTC)", Align::Left),
        ("what", Align::Left),
        ("version", Align::Left),
        ("name", Align::Cut),
        ("took", Align::Right),
        ("by", Align::Cut),
    ]);
    for row in rows {
        let style = match row.act {
            Act::Applied => GOOD,
            Act::Unfinished => BAD,
            Act::Taken => ASIDE,
            _ => OPEN,
        };
        table.row(vec![
            Cell::new(&row.position.to_string(), FAINT),
            Cell::new(&moment(&row.at), FAINT),
            Cell::new(row.act.as_str(), style),
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&took(row.duration), FAINT),
            Cell::new(&shown(&row.by), FAINT),
        ]);
    }
    table.show()
}
