//! Reads the last rows of many ledgers, over several clients at once: nearly all of the time is that of the server's
//! process, which opens each ledger for the first time.

use std::collections::BTreeSet;
use std::slice::Chunks;
use std::sync::Mutex;

use migrate_set::digest::line;

use super::compare::LEDGERS;
use super::lock;
use crate::context::Context;
use crate::migrator::{Limit, Migrator};
use crate::sql::Reading;

/// How many clients read at most: together they take 2400 of the locks of [`LEDGERS`].
const READERS: usize = 4;

/// What the last rows show.
pub(super) struct LastRows<'s> {
    /// What a row has whose ledger has exactly the set.
    line: String,
    /// The schemas of each message that no client has sent.
    unsent: Chunks<'s, String>,
    /// How many messages are not answered.
    left: usize,
    /// The schemas whose ledger has exactly the set.
    pub(super) settled: BTreeSet<String>,
    pub(super) messages: u32,
}

impl<'s> LastRows<'s> {
    /// Nothing is read yet. No row is read if the migrator needs the entries.
    pub(super) fn of(migrator: &Migrator<'_>, schemas: &'s [String]) -> Self {
        let (line, schemas) = match (migrator.reading(), &migrator.limit) {
            (Reading::Unless(digest), Limit::None) => {
                (line(digest, migrator.set.module()), schemas)
            }
            _ => (String::new(), [].as_slice()),
        };
        let unsent = schemas.chunks(LEDGERS);
        LastRows { line, left: unsent.len(), unsent, settled: BTreeSet::new(), messages: 0 }
    }

    /// How many clients can read at a time.
    pub(super) fn readers(&self) -> usize {
        self.left.min(READERS)
    }

    /// Whether every message is answered.
    pub(super) fn is_read(&self) -> bool {
        self.left == 0
    }

    /// Reads the next rows until no message is left.
    pub(super) async fn read(rows: &Mutex<Self>, cx: &Context<'_>) {
        let line = lock(rows).line.clone();
        loop {
            let Some(schemas) = lock(rows).unsent.next() else { return };
            let settled = settled(cx, schemas, &line).await;
            let mut rows = lock(rows);
            rows.messages += 1;
            rows.left -= 1;
            rows.settled.extend(settled);
        }
    }
}

/// Those of `schemas` whose last row has this line; none if one cannot be read.
async fn settled(cx: &Context<'_>, schemas: &[String], line: &str) -> Vec<String> {
    let mut settled = Vec::new();
    let mut asked = schemas.iter();
    let sql = cx.limited(&cx.ledger.last_digests_of(schemas));
    let read = cx.wire.rows(&sql, |row| {
        let digests = |index| row.try_get(index).ok().flatten();
        let has_line = |index| digests(index).is_some_and(|digests: &str| digests.contains(line));
        let answered = (0..row.len()).zip(asked.by_ref());
        let found = answered.filter(|(index, _)| has_line(*index));
        settled.extend(found.map(|(_, schema)| schema.clone()));
    });
    if read.await.is_err() {
        settled.clear();
    }
    settled
}
