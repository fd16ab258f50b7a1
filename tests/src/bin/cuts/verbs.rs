//! The verbs that are cut: what the database has before, what is called, and what a cut may leave. The migrations
//! follow one convention: version N creates the table or the index tN, or iN, in the schema of its ledger, and
//! nothing else that remains.

use std::pin::Pin;
use std::sync::LazyLock;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::ledger::{Act, Edited};
use migrate_runtime::schema::SchemaScope;
use migrate_runtime::tenants::{Failure, Tenants};
use migrate_runtime::{Error, Lock, Migrations, Migrator, Report, Rollback, run_in_order};
use migrate_tests::sets::{module, set, squash};
use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::migrator;
use super::setup::SCHEMA;

/// A verb that is cut.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// What prepares an empty database.
    before: &'static str,
    /// What is applied then.
    applied: Option<fn() -> &'static Migrations>,
    /// What is called, and called again after the cut.
    pub(crate) call: for<'c> fn(&'c mut Client, Lock) -> Ends<'c>,
    pub(crate) leaves: Leaves,
}

/// What a cut may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// What was there before, or what the complete call leaves.
    AllOrNothing,
    /// Any of the migrations, each with its entry.
    Each,
    /// The same, but an index is gone before its entry: the steps of a rollback are not recorded.
    EachUndone,
}

/// What a call reports.
#[derive(Default)]
pub(crate) struct End {
    /// What it applied, as `schema.version`.
    pub(crate) applied: Vec<String>,
    pub(crate) errors: Vec<Error>,
}

type Ends<'c> = Pin<Box<dyn Future<Output = End> + Send + 'c>>;

/// The schema of the second tenant.
const OTHER: &str = "other";

const A: (&str, &str) =
    ("V1__a.sql", "CREATE TABLE {{tables.t1}} (a int); INSERT INTO {{tables.t1}} VALUES (1);");
const EDITED: (&str, &str) =
    ("V1__a.sql", "CREATE TABLE {{tables.t1}} (a int); INSERT INTO {{tables.t1}} VALUES (2);");
const B: (&str, &str) =
    ("V2__b.sql", "-- UP\nCREATE TABLE {{tables.t2}} ();\n-- DOWN\nDROP TABLE {{tables.t2}};");
const C: (&str, &str) =
    ("V3__c.sql", "-- UP\nCREATE TABLE {{tables.t3}} ();\n-- DOWN\nDROP TABLE {{tables.t3}};");
const RESETS: (&str, &str) = (
    "V4__resets.sql",
    "-- UP\nSET work_mem = '9MB';\nCREATE TABLE {{tables.t4}} ();\nRESET ALL;\n-- DOWN\nDROP TABLE {{tables.t4}};",
);
const OUTSIDE: (&str, &str) = (
    "V5__outside.sql",
    "-- migrate:no-transaction\n-- UP\nSET work_mem = '9MB';\nINSERT INTO public.runs VALUES (5);\n\
     CREATE INDEX CONCURRENTLY i5 ON {{tables.t1}} (a);\n\
     -- DOWN\nDROP INDEX CONCURRENTLY IF EXISTS {{tables.i5}};",
);
const CALLED: (&str, &str) =
    ("V3__called.sql", "-- migrate:function\nCREATE TABLE {{tables.t3}} ();");
const VIEW: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW {{tables.v}} AS SELECT 1 AS a;");
const NEWER: (&str, &str) =
    ("R__v.sql", "CREATE OR REPLACE VIEW {{tables.v}} AS SELECT 1 AS a, 2 AS b;");

static FIRST: LazyLock<Migrations> = LazyLock::new(|| set(&[A, B, VIEW]));
static ACCEPTED: LazyLock<Migrations> = LazyLock::new(|| set(&[EDITED, B, VIEW]));
static ALL: LazyLock<Migrations> = LazyLock::new(|| set(&[A, B, C, RESETS, OUTSIDE, NEWER]));
static CALLS: LazyLock<Migrations> = LazyLock::new(|| set(&[A, B, CALLED, NEWER]));
static LIBRARY: LazyLock<Migrations> = LazyLock::new(|| module("library", &[A]));
static GROWN: LazyLock<Migrations> = LazyLock::new(|| module("library", &[A, B]));
static OWN: LazyLock<Migrations> = LazyLock::new(|| module("own", &[C, RESETS]));

/// One file that makes what the first two make, and migrations after it.
static SQUASH: LazyLock<Migrations> = LazyLock::new(|| {
    let text = squash(&set(&[A, B]), &[A.1, "CREATE TABLE {{tables.t2}} ();"].join("\n"));
    set(&[("V2__ab.sql", &text), C, OUTSIDE])
});

const BY_HAND: &str = "CREATE SCHEMA app; CREATE TABLE app.t1 (a int); CREATE TABLE app.t2 ();";

/// Every verb but the run on an empty database.
pub(crate) const VERBS: [Verb; 13] = [
    Verb {
        name: "run",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| Box::pin(async move { ran(migrator(&ALL, lock).run(client).await) }),
        leaves: Leaves::Each,
    },
    Verb {
        name: "run with calls",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| Box::pin(called(client, lock)),
        leaves: Leaves::Each,
    },
    Verb {
        name: "rollback",
        before: "",
        applied: Some(|| &ALL),
        call: |client, lock| {
            Box::pin(async move {
                End::of(migrator(&ALL, lock).rollback(client, Rollback::to(1)).await)
            })
        },
        leaves: Leaves::EachUndone,
    },
    Verb {
        name: "trial",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| {
            Box::pin(async move { End::of(migrator(&ALL, lock).trial(client).await) })
        },
        leaves: Leaves::AllOrNothing,
    },
    Verb {
        name: "baseline",
        before: BY_HAND,
        applied: None,
        call: |client, lock| {
            Box::pin(async move { ran(migrator(&ALL, lock).baseline(client, 2).await) })
        },
        leaves: Leaves::AllOrNothing,
    },
    Verb {
        name: "adopt",
        before: "CREATE SCHEMA app; CREATE TABLE app.t1 (a int); CREATE TABLE app.t2 (); \
                 CREATE TABLE app.__diesel_schema_migrations \
                 (version varchar(50) PRIMARY KEY NOT NULL, run_on timestamp NOT NULL DEFAULT now()); \
                 INSERT INTO app.__diesel_schema_migrations VALUES ('1'), ('2')",
        applied: None,
        call: |client, lock| {
            Box::pin(async move {
                let from = Adopt::Diesel.schema(SCHEMA);
                ran(migrator(&ALL, lock).adopt(client, from).await)
            })
        },
        leaves: Leaves::AllOrNothing,
    },
    Verb {
        name: "accept",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| {
            Box::pin(
                async move { ran(migrator(&ACCEPTED, lock).accept(client, Edited::All).await) },
            )
        },
        leaves: Leaves::AllOrNothing,
    },
    Verb {
        name: "forget",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| Box::pin(forgotten(client, lock)),
        leaves: Leaves::AllOrNothing,
    },
    Verb {
        name: "redo",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| Box::pin(redone(client, lock)),
        leaves: Leaves::Each,
    },
    Verb {
        name: "squash",
        before: "",
        applied: None,
        call: |client, lock| {
            Box::pin(async move { ran(migrator(&SQUASH, lock).run(client).await) })
        },
        leaves: Leaves::Each,
    },
    Verb {
        name: "tenants",
        before: "",
        applied: Some(|| &FIRST),
        call: |client, lock| Box::pin(tenants(client, lock)),
        leaves: Leaves::Each,
    },
    Verb {
        name: "modules in order",
        before: "",
        applied: Some(|| &LIBRARY),
        call: |client, lock| Box::pin(in_order(client, lock)),
        leaves: Leaves::Each,
    },
    Verb {
        name: "reads",
        before: "",
        applied: Some(|| &ALL),
        call: |client, lock| {
            Box::pin(async move { End::of(read(&migrator(&ALL, lock), client).await) })
        },
        leaves: Leaves::AllOrNothing,
    },
];

impl Verb {
    /// Makes an empty database what it is before the call.
    pub(crate) async fn prepare(&self, direct: &mut Client) {
        direct.batch_execute(self.before).await.expect(self.before);
        if let Some(set) = self.applied {
            let ran = migrator(set(), Lock::Detect).run(direct).await;
            ran.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
    }
}

impl End {
    fn of<T>(result: Result<T, Error>) -> End {
        End { errors: result.err().into_iter().collect(), ..End::default() }
    }

    fn add(&mut self, schema: &str, result: Result<Report, Error>) {
        let report = result.as_ref().map_or_else(Error::report, Some);
        let applied = report.into_iter().flat_map(|report| &report.applied);
        self.applied.extend(applied.map(|one| format!("{schema}.{}", one.version)));
        self.errors.extend(result.err());
    }
}

fn ran(result: Result<Report, Error>) -> End {
    let mut end = End::default();
    end.add(SCHEMA, result);
    end
}

/// Nothing is left to forget if the call that was cut has done it.
async fn forgotten(client: &mut Client, lock: Lock) -> End {
    match migrator(&FIRST, lock).forget(client, 2).await {
        Err(error) if error.code() == "no_entry" => End::default(),
        result => ran(result),
    }
}

/// Where a call that was cut has undone the migration, a run applies it again.
async fn redone(client: &mut Client, lock: Lock) -> End {
    let migrator = migrator(&FIRST, lock);
    match migrator.history(client).await {
        Ok(rows) if rows.iter().any(|row| row.act == Act::Undone) => {
            ran(migrator.run(client).await)
        }
        Ok(_) => ran(migrator.redo(client).await),
        Err(error) => End::of(Err::<(), _>(error)),
    }
}

async fn call(client: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("SELECT 1").await
}

async fn called(client: &mut Client, lock: Lock) -> End {
    let migrator = migrator(&CALLS, lock).function(3, call);
    let moments = [When::BeforeRun, When::BeforeEach, When::AfterEach, When::AfterRun];
    let migrator = moments.into_iter().fold(migrator, |migrator, when| migrator.hook(when, call));
    ran(migrator.run(client).await)
}

/// One schema with pending migrations, and a new one.
async fn tenants(client: &mut Client, lock: Lock) -> End {
    let migrator = migrator(&ALL, lock);
    let client = Mutex::new(client);
    let get = async || Ok::<_, Error>(client.lock().await);
    let tenants = Tenants::new(&migrator).concurrency(1);
    let mut end = End::default();
    match tenants.run([SCHEMA, OTHER], get, |_| {}).await {
        Ok(report) => {
            for (schema, report) in report.migrated {
                end.add(&schema, Ok(report));
            }
            for (schema, failure) in report.failed {
                end.add(&schema, Err(error_of(failure)));
            }
        }
        Err(failure) => end.errors.push(error_of(failure)),
    }
    end
}

fn error_of(failure: Failure<Error>) -> Error {
    match failure {
        Failure::Connect(error) | Failure::Run(error) => error,
        other => panic!("{other}"),
    }
}

async fn in_order(client: &mut Client, lock: Lock) -> End {
    let (library, own) = (migrator(&GROWN, lock), migrator(&OWN, lock));
    let (reports, error) = match run_in_order([&library, &own], client).await {
        Ok(reports) => (reports, None),
        Err(failed) => (failed.reports, Some(*failed.error)),
    };
    let mut end = End::default();
    for result in reports.into_iter().map(Ok).chain(error.map(Err)) {
        end.add(SCHEMA, result);
    }
    end
}

/// All that only reads, up to the first error.
async fn read(migrator: &Migrator<'_>, client: &Client) -> Result<(), Error> {
    migrator.status(client).await?;
    migrator.verify(client).await?;
    migrator.plan(client).await?;
    migrator.plan_rollback(client, Rollback::Steps(1)).await?;
    migrator.require_applied(client, [2]).await?;
    migrator.history(client).await?;
    let schema = migrator.read_schema(client, &SchemaScope::new()).await?;
    migrator.verify_schema(client, &schema).await
}
