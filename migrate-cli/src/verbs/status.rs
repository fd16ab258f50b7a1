//! `status`: shows what is applied and pending. Drift is a part of the answer here, and an error in the
//! other verbs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use migrate_runtime::status::{State, StatusRow};
use migrate_runtime::{Drift, Status, Version, internal};
use migrate_source::replace::replace;

use super::Context;
use crate::error::VerbError;
use crate::exit::Exit;
use crate::output::Answer;
use crate::output::html::page;
use crate::output::json::{Body, DriftBody, StatusBody, StatusRowBody, drift_parts, millis};
use crate::output::style::{ASIDE, BAD, FAINT, GOOD, OPEN, styled, titled};
use crate::output::table::{Align, Cell, table};
use crate::output::text::{counted, line, moment, notes, took};

#[derive(Args, Debug, Clone)]
pub(crate) struct StatusArgs {
    /// Also write it to this file, as an HTML page with the history
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The modules of all sets of the program.
    #[arg(skip)]
    pub(super) modules: Vec<String>,
    /// Exit with 3 if migrations are pending
    #[arg(long)]
    exit_code: bool,
}

impl StatusArgs {
    pub(super) fn writes_page(&self) -> bool {
        self.html.is_some()
    }

    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let status = cx.migrator.status(cx.client).await?;
        if has_no_entry(&status) {
            cx.warn_of_other_history().await;
        }
        let drifts = status.drift.as_ref().map_or(&[][..], |report| report.0.as_slice());
        let pending = status.pending();
        let exit = match (drifts.len(), pending) {
            (0, n) if n > 0 && self.exit_code => Exit::Pending,
            (0, _) => Exit::Fine,
            _ => Exit::Drift,
        };
        let migrations = rows(&status, drifts);
        let mut text = String::new();
        if !migrations.is_empty() {
            text += &shown(&migrations);
        }
        text += &summary(&migrations, pending);
        for drift in drifts {
            text += &titled("drift", BAD, &format!("{drift}\nhelp: {:#}", drift.help()));
        }
        text += &writers(&status);
        let mut other_modules = status.other_modules.clone();
        other_modules.retain(|module| !self.modules.contains(module));
        let body = StatusBody {
            ledger: internal::ledger_table(&cx.migrator),
            module: internal::set(&cx.migrator).module().to_owned(),
            pending,
            migrations,
            drift: drifts.iter().map(DriftBody::new).collect(),
            writers: status.writers.clone(),
            other_modules,
            html: self.html.as_ref().map(|file| file.to_string_lossy().into_owned()),
        };
        text.extend(body.other_sets().map(|note| notes(&[note])));
        if let Some(file) = &self.html {
            text += &write_page(&cx, &body, file).await?;
        }
        Ok(Answer { exit, text, body: Body::Status(body) })
    }
}

/// Whether the ledger has no entry of the set's module, or is not there.
pub(super) fn has_no_entry(status: &Status) -> bool {
    status.drift.is_none() && status.migrations.iter().all(|row| row.state == State::Pending)
}

/// The note on roles that may write the ledger.
pub(super) fn writers(status: &Status) -> String {
    match status.writers.as_slice() {
        [] => String::new(),
        roles => notes(&[format!("the ledger can also be written by {}", roles.join(", "))]),
    }
}

async fn write_page(cx: &Context<'_>, body: &StatusBody, file: &Path) -> Result<String, VerbError> {
    let history = cx.migrator.history(cx.client).await?;
    let written = replace(file, page(cx.place, body, &history).as_bytes());
    written.map_err(|source| VerbError::File { file: file.to_owned(), source })?;
    Ok(line("Wrote", &file.to_string_lossy()))
}

/// The rows of the status, with drift as their state.
fn rows(status: &Status, drifts: &[Drift]) -> Vec<StatusRowBody> {
    let mut rows: Vec<StatusRowBody> = status.migrations.iter().map(row).collect();
    for drift in drifts {
        let (kind, version, file) = drift_parts(drift);
        if let Drift::Missing { applied_at, applied_by, .. } = drift {
            let missing = StatusRowBody {
                version: version.to_owned(),
                file: file.to_owned(),
                state: kind,
                applied_at: Some(applied_at.clone()),
                applied_by: Some(applied_by.clone()),
                ..StatusRowBody::default()
            };
            let at = Version::new(version.to_owned());
            let is_newer = |row: &StatusRowBody| Version::new(row.version.clone()) > at;
            let place = rows.iter().position(is_newer).unwrap_or(rows.len());
            rows.insert(place, missing);
        } else if let Some(row) = rows.iter_mut().find(|row| row.version == version) {
            row.state = kind;
        }
    }
    rows
}

fn row(row: &StatusRow) -> StatusRowBody {
    let mut body = StatusRowBody {
        version: row.version.clone(),
        name: row.name.clone(),
        file: row.filename.clone(),
        state: row.state.as_str(),
        ..StatusRowBody::default()
    };
    match &row.state {
        State::Applied { at, by, duration } => {
            (body.applied_at, body.applied_by) = (Some(at.clone()), Some(by.clone()));
            body.duration_ms = Some(millis(*duration));
        }
        State::Ahead { at, by } => {
            (body.applied_at, body.applied_by) = (Some(at.clone()), Some(by.clone()));
        }
        State::Unfinished { done, in_flight } => {
            (body.statements_done, body.in_flight) = (Some(*done), Some(*in_flight));
        }
        // Pending: nothing is known of it.
        _ => {}
    }
    body
}

fn shown(rows: &[StatusRowBody]) -> String {
    let rows = rows.iter().map(|row| {
        let style = match row.state {
            "applied" => GOOD,
            "pending" => OPEN,
            "ahead" => ASIDE,
            _ => BAD,
        };
        let at = row.applied_at.as_deref().map(moment);
        let time = row.duration_ms.map(|ms| took(Duration::from_millis(ms)));
        vec![
            Cell::plain(&row.version),
            Cell::plain(row.title()),
            Cell::new(&row.state.replace('_', " "), style),
            Cell::new(&at.unwrap_or_default(), FAINT),
            Cell::new(&time.unwrap_or_default(), FAINT),
            Cell::new(row.applied_by.as_deref().unwrap_or_default(), FAINT),
        ]
    });
    let heads = [
        ("version", Align::Left),
        ("name", Align::Cut),
        ("state", Align::Left),
        ("applied (UTC)", Align::Left),
        ("took", Align::Right),
        ("by", Align::Cut),
    ];
    table(&heads, rows)
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
