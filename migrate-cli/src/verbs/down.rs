//! `down`: undoes applied migrations, after it has asked.

use clap::Args;
use migrate_runtime::plan::Undo;
use migrate_runtime::set::TransactionMode;
use migrate_runtime::{Report, Rollback, Version};

use super::Context;
use crate::error::VerbError;
use crate::options::{number, version};
use crate::output::Answer;
use crate::output::confirm::confirm;
use crate::output::json::{Body, UndoBody};
use crate::output::progress::Progress;
use crate::output::style::{FAINT, OPEN, shown, styled};
use crate::output::table::{Align, Cell, table};
use crate::output::text::{counted, moment, notes};

#[derive(Args, Debug, Clone)]
pub(crate) struct Down {
    /// How many migrations to undo
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["to", "all"])]
    #[arg(value_parser = number::<usize>)]
    steps: usize,
    /// Undo every migration newer than this one: its version, or its file name
    #[arg(long, value_name = "VERSION", conflicts_with = "all", value_parser = version())]
    to: Option<Version>,
    /// Undo every migration
    #[arg(long)]
    all: bool,
    /// Show what would be undone, without undoing it
    #[arg(long)]
    dry_run: bool,
}

impl Down {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let target = match &self.to {
            _ if self.all => Rollback::All,
            Some(version) => Rollback::to(version),
            None => Rollback::Steps(self.steps),
        };
        let undos = cx.migrator.plan_rollback(cx.client, target.clone()).await?;
        if self.dry_run {
            return Ok(would_undo(&undos));
        }
        if undos.is_empty() {
            return Ok(Answer::of_run(cx.output, &Report::default()));
        }
        let question = format!("undo {} in {}", versions(&undos), cx.place);
        confirm_undo(&cx, &undos, &question)?;
        let progress =
            Progress::begin(cx.output, &format!("undoing {}", versions(&undos)), "Applied");
        let migrator = progress.of(cx.migrator);
        let report = migrator.rollback_planned(cx.client, target, &undos).await?;
        drop(progress);
        Ok(Answer::of_run(cx.output, &report))
    }
}

/// Asks whether to undo these.
pub(super) fn confirm_undo(
    cx: &Context<'_>,
    undos: &[Undo<'_>],
    question: &str,
) -> Result<(), VerbError> {
    cx.output.preface(&scripts(undos));
    confirm(cx.output, question)
}

/// The versions, in words.
pub(super) fn versions(undos: &[Undo<'_>]) -> String {
    let versions: Vec<&str> = undos.iter().map(|undo| undo.entry.version.as_str()).collect();
    match versions.as_slice() {
        [one] => format!("version {one}"),
        few if few.len() < 10 => format!("{} migrations ({})", few.len(), few.join(", ")),
        [first, .., last] => format!("{} migrations ({first} down to {last})", versions.len()),
        [] => "nothing".to_owned(),
    }
}

/// The scripts that come from the ledger, each with the role that applied its migration: the set does not have
/// them.
fn scripts(undos: &[Undo<'_>]) -> String {
    let mut text = String::new();
    for undo in undos.iter().filter(|undo| undo.is_from_ledger()) {
        let (version, by) = (&undo.entry.version, &undo.entry.applied_by);
        let note = format!(
            "version {version}, applied by {by}, is undone by this script from the ledger:"
        );
        text += &notes(&[note]);
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
    let ended = |range: (usize, usize)| {
        let end = if script.copy(range).is_some() { "\n" } else { ";\n" };
        [&script.text()[range.0..range.1], end]
    };
    script.statements().flat_map(ended).collect()
}

fn would_undo(undos: &[Undo<'_>]) -> Answer {
    let body = |undo: &Undo<'_>| UndoBody {
        version: undo.entry.version.to_string(),
        name: undo.entry.name.clone(),
        file: undo.entry.filename.clone(),
        applied_at: undo.entry.applied_at.clone(),
        applied_by: undo.entry.applied_by.clone(),
        transactional: undo.script().transaction() == TransactionMode::Transactional,
        from: if undo.is_from_ledger() { "ledger" } else { "set" },
        sql: sql_of(undo),
    };
    let undo: Vec<UndoBody> = undos.iter().map(body).collect();
    let rows = undo.iter().map(|row| {
        let remarks = [
            (!row.transactional).then_some("outside a transaction"),
            (row.from == "ledger").then_some("script from the ledger"),
        ];
        let remark = remarks.into_iter().flatten().collect::<Vec<_>>().join("; ");
        vec![
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&moment(&row.applied_at), FAINT),
            Cell::new(&row.applied_by, FAINT),
            Cell::new(&remark, OPEN),
        ]
    });
    let heads = [
        ("version", Align::Left),
        ("name", Align::Cut),
        ("applied (UTC)", Align::Left),
        ("by", Align::Cut),
        ("remarks", Align::Left),
    ];
    let what = format!("{} would be undone", counted(undo.len(), "migration"));
    let (rows, scripts) = (table(&heads, rows), scripts(undos));
    let text = format!("{rows}{scripts}{}\n", styled(OPEN, &what));
    Answer::new(text, Body::Undo { undo })
}
