//! What a database has of the migrations of [`super::verbs`], in any schema, and where that is not what its ledgers
//! have.

use std::collections::BTreeSet;

use migrate_tests::database::{ADVISORY_LOCKS, value};
use tokio_postgres::Client;

use super::setup::sessions;
use super::verbs::{End, Leaves};

/// Runs a query on each ledger, in the place of `$`.
pub(crate) const FUNCTION: &str = "CREATE FUNCTION public.of_ledgers(query text) RETURNS SETOF text LANGUAGE plpgsql AS $f$ \
     DECLARE place text; BEGIN \
     FOR place IN SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'migration_ledger' ORDER BY 1 \
     LOOP RETURN QUERY EXECUTE replace(query, '$', place); END LOOP; END $f$";

/// Entries of migrations: `schema.version`, and its progress if it is unfinished.
const ENTRIES: &str = "SELECT string_agg(e, ' ') FROM public.of_ledgers( \
     'SELECT concat_ws('':'', ''$.'' || version, progress) FROM $.migration_ledger \
      WHERE ended_position = 0 AND kind = ''versioned''') e";

/// What the migrations have made: `schema.version`, and whether it is an INVALID index.
const EFFECTS: &str = "SELECT string_agg(concat_ws(':', relnamespace::regnamespace || '.' || substr(relname, 2), \
     CASE WHEN NOT indisvalid THEN 'INVALID' END), ' ') \
     FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid WHERE relname ~ '^[ti][0-9]+$'";

/// All that has to be equal after two calls that end the same. A lock row needs a ledger, which can be empty.
const WHOLE: &str = "SELECT string_agg(line, E'\\n') FROM ( \
     SELECT * FROM public.of_ledgers('SELECT concat_ws('' '', ''$'', module, version, filename, checksum, progress, \
     in_flight, ran, down_checksum, ended_position > 0) FROM $.migration_ledger WHERE module <> '''' \
     ORDER BY 1') \
     UNION ALL (SELECT concat_ws(' ', oid::regclass, indisvalid, pg_get_viewdef(oid)) FROM pg_class \
     LEFT JOIN pg_index ON indexrelid = oid WHERE relnamespace::regnamespace::text ~ '^(app|other)$' \
     AND relname !~ '^migration_ledger' ORDER BY 1) \
     UNION ALL SELECT n || ' ran' FROM public.runs) AS lines (line)";

const LOCK_ROWS: &str = "SELECT count(*) FROM public.of_ledgers( \
     'SELECT version FROM $.migration_ledger WHERE module = ''''')";

const EXPIRE: &str = "SELECT public.of_ledgers('UPDATE $.migration_ledger \
     SET applied_at = applied_at - interval ''1 hour'' WHERE module = '''' RETURNING version')";

/// What a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    entries: BTreeSet<String>,
    effects: BTreeSet<String>,
    /// As text.
    pub(crate) whole: String,
    pub(crate) lock_rows: u32,
    pub(crate) locks: u32,
    sessions: u32,
}

impl State {
    pub(crate) async fn look(client: &Client) -> State {
        let set = async |sql| {
            let found = value(client, sql).await;
            found.split(' ').filter(|one| *one != "NULL").map(str::to_owned).collect()
        };
        State {
            entries: set(ENTRIES).await,
            effects: set(EFFECTS).await,
            whole: value(client, WHOLE).await,
            lock_rows: value(client, LOCK_ROWS).await.parse().expect(LOCK_ROWS),
            locks: value(client, ADVISORY_LOCKS).await.parse().expect(ADVISORY_LOCKS),
            sessions: sessions(client).await,
        }
    }

    /// The rules that a cut call has broken, which reported `end`, if it had a connection: the state was `before`, and
    /// that of a complete call is `after`.
    pub(crate) fn broken(
        &self,
        leaves: Leaves,
        end: Option<&End>,
        [before, after]: [&String; 2],
    ) -> Vec<String> {
        let mut broken = Vec::new();
        if self.sessions > 0 || self.locks > 0 {
            broken.push("a session or an advisory lock remains after a cut".to_owned());
        }
        if end.is_some_and(|end| end.errors.is_empty()) && self.whole != *after {
            broken.push("it succeeds, and is not complete".to_owned());
        }
        let applied = end.into_iter().flat_map(|end| &end.applied);
        let unrecorded =
            applied.filter(|one| !one.contains(".R__") && !self.entries.contains(*one));
        broken.extend(unrecorded.map(|one| format!("{one} is reported as applied, and is not")));
        match leaves {
            Leaves::AllOrNothing if self.whole != *before && self.whole != *after => {
                broken.push("it is neither as before nor complete".to_owned());
            }
            Leaves::AllOrNothing => {}
            Leaves::Each => broken.extend(self.untrue("")),
            Leaves::EachUndone => broken.extend(self.untrue(".5")),
        }
        broken
    }

    /// Where entries and effects disagree; those that end with `gone` can be recorded without an effect.
    fn untrue(&self, gone: &str) -> impl Iterator<Item = String> {
        let begun = |one: &str| one.split(':').next().unwrap_or_default().to_owned();
        let recorded: BTreeSet<String> = self.entries.iter().map(|entry| begun(entry)).collect();
        let may_be_gone = |one: &String| !gone.is_empty() && one.ends_with(gone);
        let finished = self.entries.iter().filter(|entry| !entry.contains(':'));
        let absent = finished.filter(|one| !self.effects.contains(*one) && !may_be_gone(one));
        let absent: Vec<String> =
            absent.map(|one| format!("{one} is recorded, and is not there")).collect();
        let unrecorded = self.effects.iter().filter(|effect| !recorded.contains(&begun(effect)));
        let unrecorded: Vec<String> =
            unrecorded.map(|one| format!("{one} is there, and is not recorded")).collect();
        absent.into_iter().chain(unrecorded)
    }
}

/// Expires the locks that a cut call left, as time would.
pub(crate) async fn expire(client: &Client) {
    client.batch_execute(EXPIRE).await.expect(EXPIRE);
}
