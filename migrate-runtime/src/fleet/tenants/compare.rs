//! Finds the schemas that are up to date, with the same plan as a run; the run reports a ledger that
//! cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use migrate_set::drift::DriftReport;
use migrate_set::ledger::Entry;

use crate::context::Context;
use crate::outcome::{Error, ErrorKind};
use crate::run::watched;
use crate::sql::{entry, text};
use crate::wire::is_of_a_check;

/// How many ledgers one message reads: each takes three locks of the server's table of locks (its own
/// and those of two indexes), which has room for 6400 unless it was made smaller.
pub(super) const LEDGERS: usize = 200;

/// The schemas by what has to be done, each list in the given order.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) up_to_date: Vec<String>,
    pub(super) pending: Vec<String>,
    /// Those that a run would refuse.
    pub(super) drifted: Vec<(String, Error)>,
    pub(super) messages: u32,
}

/// The schemas with a ledger and those without one, each list in the given order.
pub(super) struct Schemas {
    pub(super) known: Vec<String>,
    new: Vec<String>,
    messages: u32,
}

/// Finds the ledgers, with one message unless there are no schemas.
pub(super) async fn find(cx: &Context<'_>, mut schemas: Vec<String>) -> Result<Schemas, Error> {
    let mut seen = BTreeSet::new();
    schemas.retain(|schema| seen.insert(schema.clone()));
    if schemas.is_empty() {
        return Ok(Schemas { known: schemas, new: Vec::new(), messages: 0 });
    }
    let found = watched(cx, with_ledger(cx, &schemas)).await?;
    let (known, new) = schemas.into_iter().partition(|schema| found.contains(schema));
    Ok(Schemas { known, new, messages: 1 })
}

/// Compares the schemas, of which these are settled.
pub(super) async fn compare(
    cx: &Context<'_>,
    schemas: Schemas,
    settled: &BTreeSet<String>,
) -> Comparison {
    let mut found = Comparison { messages: schemas.messages, ..Comparison::default() };
    for chunk in schemas.known.chunks(LEDGERS) {
        found.compare(cx, chunk, settled).await;
    }
    found.pending.extend(schemas.new);
    found
}

impl Comparison {
    /// Adds these schemas, in order. The entries of a ledger are read if it is not settled.
    async fn compare(&mut self, cx: &Context<'_>, schemas: &[String], settled: &BTreeSet<String>) {
        let is_unsettled = |schema: &&String| !settled.contains(*schema);
        let rest: Vec<String> = schemas.iter().filter(is_unsettled).cloned().collect();
        let mut entries = Some(BTreeMap::new());
        if !rest.is_empty() {
            self.messages += 1;
            // One ledger that cannot be read makes the whole message fail: the runs find out which it is.
            entries = self::entries(cx, &rest).await;
        }
        for schema in schemas {
            if settled.contains(schema) {
                self.up_to_date.push(schema.clone());
                continue;
            }
            let own = entries.as_ref().map(|all| all.get(schema).cloned().unwrap_or_default());
            // An older release can be applying the rest, which the run waits for.
            let may_pass = DriftReport::is_partly_replaced;
            match own.map(|own| cx.migrator.foresee(own)) {
                Some(Ok(plan)) if plan.steps.is_empty() => self.up_to_date.push(schema.clone()),
                Some(Err(error)) if !error.drift().is_some_and(may_pass) => {
                    self.drifted.push((schema.clone(), error));
                }
                Some(_) | None => self.pending.push(schema.clone()),
            }
        }
    }
}

async fn with_ledger(cx: &Context<'_>, schemas: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let query = cx.ledger.among(schemas);
    let read = cx.wire.rows(&query, |row| {
        let is_its = text(&row, "table") == Some(&cx.ledger.table);
        found.extend(text(&row, "tenant").filter(|_| is_its).map(str::to_owned));
    });
    match read.await {
        // The session's encoding, which the runs report.
        Err(source) if source.code().is_none_or(|code| !is_of_a_check(code.code())) => {
            let doing = "looking for the tenants' ledgers".to_owned();
            let (detail, held_by, help) = (None, Vec::new(), None);
            Err(ErrorKind::Database { doing, detail, held_by, help, source }.into())
        }
        _ => Ok(found),
    }
}

/// The entries by schema; `None` if one of the ledgers cannot be read.
async fn entries(cx: &Context<'_>, schemas: &[String]) -> Option<BTreeMap<String, Vec<Entry>>> {
    let mut entries: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut whole = true;
    let sql = cx.limited(&cx.ledger.read_tenants(schemas));
    let read = cx
        .wire
        .rows(&sql, |row| match (text(&row, "tenant"), entry(&row)) {
            (Some(tenant), Ok(entry)) => entries.entry(tenant.to_owned()).or_default().push(entry),
            _ => whole = false,
        })
        .await;
    (read.is_ok() && whole).then_some(entries)
}
