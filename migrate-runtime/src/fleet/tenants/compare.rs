//! Finds the schemas that are up to date, with the same plan as a run; the run reports a ledger that
//! cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use migrate_set::digest::line;
use migrate_set::ledger::Entry;
use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::{Limit, Migrator};
use crate::outcome::{Error, ErrorKind};
use crate::run::watched;
use crate::sql::{Reading, entry, text};
use crate::wire::is_of_a_check;

/// How many ledgers one message reads: each takes three locks of the server's table of locks (its own
/// and those of two indexes), which has room for 6400 unless it was made smaller.
const LEDGERS: usize = 200;

/// The schemas by what has to be done, each list in the given order.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) up_to_date: Vec<String>,
    pub(super) pending: Vec<String>,
    /// Those that a run would refuse.
    pub(super) drifted: Vec<(String, Error)>,
    pub(super) messages: u32,
}

pub(super) async fn compare(
    migrator: &Migrator<'_>,
    client: &Client,
    mut schemas: Vec<String>,
) -> Result<Comparison, Error> {
    let mut seen = BTreeSet::new();
    schemas.retain(|schema| seen.insert(schema.clone()));
    let mut found = Comparison::default();
    if schemas.is_empty() {
        return Ok(found);
    }
    let cx = Context::new(migrator, client);
    let with_ledger = watched(&cx, with_ledger(&cx, &schemas)).await?;
    found.messages += 1;
    let (known, new): (Vec<String>, Vec<String>) =
        schemas.into_iter().partition(|schema| with_ledger.contains(schema));
    for chunk in known.chunks(LEDGERS) {
        found.compare(&cx, chunk).await;
    }
    found.pending.extend(new);
    Ok(found)
}

impl Comparison {
    /// Adds these schemas, in order. The entries of a ledger are read if its last row does not have the digest of the
    /// set.
    async fn compare(&mut self, cx: &Context<'_>, schemas: &[String]) {
        let settled = self.settled(cx, schemas).await;
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
            match own.map(|own| cx.migrator.foresee(own)) {
                Some(Ok(plan)) if plan.steps.is_empty() => self.up_to_date.push(schema.clone()),
                Some(Err(error)) => self.drifted.push((schema.clone(), error)),
                Some(Ok(_)) | None => self.pending.push(schema.clone()),
            }
        }
    }

    /// Those of `schemas` whose last row has the digest of the set; none if one cannot be read.
    async fn settled(&mut self, cx: &Context<'_>, schemas: &[String]) -> BTreeSet<String> {
        let mut settled = BTreeSet::new();
        let (Reading::Unless(digest), Limit::None) = (cx.migrator.reading(), &cx.migrator.limit)
        else {
            return settled;
        };
        self.messages += 1;
        let line = line(digest, cx.migrator.set.module());
        let mut asked = schemas.iter();
        let sql = cx.limited(&cx.ledger.last_digests_of(schemas));
        let read = cx.wire.rows(&sql, |row| {
            let answered = (0..row.len()).zip(asked.by_ref());
            let has_all =
                |index| row.get(index).is_some_and(|digests: &str| digests.contains(&line));
            let of_these = answered.filter(|(index, _)| has_all(*index));
            settled.extend(of_these.map(|(_, schema)| schema.clone()));
        });
        if read.await.is_err() {
            settled.clear();
        }
        settled
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
