//! `history`: shows in order what happened to the migrations.

use migrate_runtime::internal;
use migrate_runtime::ledger::{Act, HistoryRow};

use super::Context;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::{Body, HistoryBody, millis};
use crate::output::style::{ASIDE, BAD, FAINT, GOOD, OPEN};
use crate::output::table::{Align, Cell, table};
use crate::output::text::{moment, took};

pub(super) async fn history(cx: Context<'_>) -> Result<Answer, VerbError> {
    let history = cx.migrator.history(cx.client).await?;
    let text = shown(&history);
    let body = |row: HistoryRow| HistoryBody {
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
    let body = Body::History {
        ledger: internal::ledger_table(&cx.migrator),
        module: internal::set(&cx.migrator).module().to_owned(),
        entries: history.into_iter().map(body).collect(),
    };
    Ok(Answer::new(text, body))
}

fn shown(history: &[HistoryRow]) -> String {
    if history.is_empty() {
        return "the history is empty\n".to_owned();
    }
    let rows = history.iter().map(|row| {
        let style = match row.act {
            Act::Applied => GOOD,
            Act::Unfinished => BAD,
            Act::Taken => ASIDE,
            _ => OPEN,
        };
        vec![
            Cell::new(&row.position.to_string(), FAINT),
            Cell::new(&moment(&row.at), FAINT),
            Cell::new(row.act.as_str(), style),
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&took(row.duration), FAINT),
            Cell::new(&row.by, FAINT),
        ]
    });
    let heads = [
        ("#", Align::Right),
        ("when (UTC)", Align::Left),
        ("what", Align::Left),
        ("version", Align::Left),
        ("name", Align::Cut),
        ("took", Align::Right),
        ("by", Align::Cut),
    ];
    table(&heads, rows)
}
