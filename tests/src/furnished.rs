//! A session in which the caller has state: settings, temporary tables, prepared statements, channels.
//! Each case is a migration with its own ledger, and the result is what it changed in the session or
//! for the next migration. Only simple queries are sent, so that inspecting a session prepares nothing.

use std::collections::BTreeSet;
use std::task::Poll;

use migrate_runtime::{Migrations, Migrator};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::database::{ADVISORY_LOCKS, FreshDatabase, value};
use crate::sets::unparsed;

/// A migration that changes its session: a name, and SQL in which `{role}` is a role with few
/// privileges.
pub type Case = (&'static str, &'static str);

/// How the migration of a case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In one message with its neighbours.
    Together,
    /// In its own message.
    Apart,
    /// Outside a transaction.
    Outside,
    /// In a transaction, with a failure.
    Fails,
    /// Outside a transaction, with a failure.
    FailsOutside,
}

/// The state of a session, one line each; without `synchronous_commit`, which the run sets itself.
const STATE: &str = "CREATE FUNCTION public.state() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'setting ' || name || ' = ' || setting FROM pg_catalog.pg_settings
    WHERE context IN ('user', 'superuser') AND name <> 'synchronous_commit'
  UNION ALL SELECT 'own setting ' || COALESCE(pg_catalog.current_setting('app.tenant', true), '')
  UNION ALL SELECT 'user ' || pg_catalog.concat_ws(' ', current_user, session_user,
    pg_catalog.current_setting('role'))
  UNION ALL SELECT 'prepared ' || name FROM pg_catalog.pg_prepared_statements
  UNION ALL SELECT 'cursor ' || name FROM pg_catalog.pg_cursors WHERE is_holdable
  UNION ALL SELECT 'channel ' || c FROM pg_catalog.pg_listening_channels() c
  UNION ALL SELECT 'temporary ' || relkind::text || ' ' || relname FROM pg_catalog.pg_class
    WHERE relnamespace = pg_catalog.pg_my_temp_schema()
  UNION ALL SELECT 'temporary type ' || typname FROM pg_catalog.pg_type
    WHERE typnamespace = pg_catalog.pg_my_temp_schema()
  UNION ALL SELECT 'temporary function ' || proname FROM pg_catalog.pg_proc
    WHERE pronamespace = pg_catalog.pg_my_temp_schema()
  UNION ALL SELECT 'lock ' || objid FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
$$;
CREATE TABLE public.seen (n serial, line text);
GRANT ALL ON public.seen, public.seen_n_seq TO PUBLIC;
CREATE SCHEMA \"Odd, path\";";

/// The block loads PL/pgSQL, which adds settings.
const FURNITURE: &str = "CREATE TEMP TABLE mine (a int); INSERT INTO mine VALUES (1); \
    CREATE TEMP VIEW my_view AS SELECT * FROM mine; PREPARE mine AS SELECT a FROM mine; \
    LISTEN mine; LISTEN \"My other\"; DECLARE mine CURSOR WITH HOLD FOR SELECT 1; \
    SET work_mem = '7MB'; SET search_path = public, \"Odd, path\"; SET statement_timeout = '55s'; \
    SET datestyle = 'German, DMY'; SET application_name = 'the caller''s'; DO $$ BEGIN END $$;";

/// Records the session's state, before and after the migration of a case.
const LOOK: &str = "INSERT INTO public.seen (line) SELECT s FROM public.state() s;";

/// One database with a furnished session in it.
#[derive(Debug)]
pub struct Furnished {
    database: FreshDatabase,
    client: Client,
    role: String,
    further: &'static str,
    ledgers: usize,
}

impl Furnished {
    /// A session with this `further` furniture, as SQL.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn create(further: &'static str) -> Furnished {
        let database = FreshDatabase::create().await;
        let role = format!("role_{}", database.name());
        let admin = database.connect().await;
        let sql = format!("CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}; {STATE}");
        admin.batch_execute(&sql).await.expect("what a case looks with");
        let client = database.connect().await;
        let mut at = Furnished { database, client, role, further, ledgers: 0 };
        at.furnish().await;
        at
    }

    /// A new session in place of the one there is.
    async fn furnish(&mut self) {
        self.client = self.database.connect().await;
        self.client.batch_execute(FURNITURE).await.expect("furniture");
        self.client.batch_execute(self.further).await.expect("further furniture");
    }

    /// A migrator with an empty ledger.
    fn migrator<'s>(&mut self, set: &'s Migrations) -> Migrator<'s> {
        self.ledgers += 1;
        Migrator::new(set).table(format!("ledger_{}", self.ledgers))
    }

    async fn state(&self) -> BTreeSet<String> {
        lines(&self.client, "SELECT * FROM public.state()").await
    }

    /// What differs from `before`, a line each; replaces a session that differs by a new one.
    async fn differences(&mut self, name: &str, before: &BTreeSet<String>) -> Vec<String> {
        let now = self.state().await;
        let gone = before.difference(&now).map(|line| format!("{name}: - {line}"));
        let new = now.difference(before).map(|line| format!("{name}: + {line}"));
        let found: Vec<String> = gone.chain(new).collect();
        if !found.is_empty() {
            self.furnish().await;
        }
        found
    }

    /// How the state differed for the migrations before and after that of a case; clears the record.
    async fn seen_differently(&self, name: &str) -> Vec<String> {
        let uneven = "WITH gone AS (DELETE FROM public.seen RETURNING line) \
                      SELECT line FROM gone GROUP BY line HAVING count(*) <> 2";
        let admin = self.database.connect().await;
        let lines = lines(&admin, uneven).await;
        lines.into_iter().map(|line| format!("{name}, to the next: {line}")).collect()
    }

    /// Runs a case, and returns what it left behind.
    ///
    /// # Panics
    ///
    /// When the case does not end as it should.
    pub async fn leftovers_of(&mut self, (name, sql): Case, way: Way) -> Vec<String> {
        let set = case_set(&sql.replace("{role}", &self.role), way);
        let migrator = self.migrator(&set);
        let migrator = if way == Way::Apart { migrator.chunk_bytes(1) } else { migrator };
        let before = self.state().await;
        let result = migrator.run(&mut self.client).await;
        let mut found = self.differences(name, &before).await;
        let fails = matches!(way, Way::Fails | Way::FailsOutside);
        match result {
            Ok(report) => assert_eq!((report.applied.len(), fails), (4, false), "{name}"),
            Err(error) if fails && error.to_string().contains("division by zero") => {}
            Err(error) => found.push(format!("{name}: {error}")),
        }
        let seen = self.seen_differently(name).await;
        found.extend(seen.into_iter().filter(|_| !fails && found.is_empty()).collect::<Vec<_>>());
        found
    }

    /// Drops the run of a case at every point where it waits, and returns what each left behind and
    /// how many points there were.
    ///
    /// # Panics
    ///
    /// When the run cannot be finished afterwards, or a lock is left.
    pub async fn left_when_dropped(&mut self, (name, sql): Case) -> (Vec<String>, usize) {
        let files = [("1_a.sql", "SELECT 1;"), ("2_case.sql", sql), ("3_end.sql", "SELECT 1;")];
        let set = unparsed(&files);
        let mut found = Vec::new();
        for polls in 1.. {
            let migrator = self.migrator(&set);
            let before = self.state().await;
            let finished = poll(migrator.run(&mut self.client), polls).await.is_some();
            // This query is answered after everything that was queued.
            found.extend(self.differences(&format!("{name}, poll {polls}"), &before).await);
            assert_eq!(value(&self.client, ADVISORY_LOCKS).await, "0", "{name}, poll {polls}");
            let result = migrator.run(&mut self.client).await;
            let report = result.unwrap_or_else(|error| panic!("{name}, poll {polls}: {error}"));
            assert_eq!(report.applied.len() + report.skipped.len(), 3, "{name}, poll {polls}");
            found.extend(
                self.differences(&format!("{name}, run after poll {polls}"), &before).await,
            );
            if finished {
                return (found, polls);
            }
        }
        unreachable!("the numbers never end")
    }

    /// Checks that the caller's state can still be used.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub async fn is_usable(&self) {
        assert_eq!(value(&self.client, "EXECUTE mine").await, "1");
        assert_eq!(value(&self.client, "FETCH mine").await, "1");
    }
}

/// Runs `cases` in one session with state, and returns what they left behind, a line each.
///
/// # Panics
///
/// When a case does not end as it should.
pub async fn leftovers_of(cases: &[&[Case]], way: Way) -> Vec<String> {
    let mut at = Furnished::create("").await;
    let mut found = Vec::new();
    for case in cases.concat() {
        found.extend(at.leftovers_of(case, way).await);
    }
    at.is_usable().await;
    found
}

fn case_set(sql: &str, way: Way) -> Migrations {
    let (before, after) = match way {
        Way::Together | Way::Apart => ("", ""),
        Way::Outside => ("-- migrate:no-transaction\n", "VACUUM public.seen;"),
        Way::Fails => ("", "SELECT 1/0;"),
        Way::FailsOutside => ("-- migrate:no-transaction\n", "VACUUM public.seen; SELECT 1/0;"),
    };
    let case = format!("{before}{sql}\n{after}");
    let end = ("4_end.sql", "SELECT 1;");
    unparsed(&[("1_a.sql", LOOK), ("2_case.sql", &case), ("3_b.sql", LOOK), end])
}

async fn lines(client: &Client, sql: &str) -> BTreeSet<String> {
    let messages = client.simple_query(sql).await.expect(sql);
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// Polls `future` at most `times` times and drops it; its value if that was enough.
async fn poll<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls >= times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
