//! What another role can put where the ledger is looked for, and that none of its code runs.

mod trusted;

use std::collections::BTreeSet;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::ledger::Edited;
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Error, Lock, Migrations, Migrator, Rollback, run_in_order};
use migrate_testing::Server;
use migrate_tests::database::{connect, value};
use migrate_tests::role::SmallRole;
use migrate_tests::sets::{module, set};
use tokio_postgres::IsolationLevel;
use tokio_postgres::error::SqlState;

/// The columns of a ledger.
const COLUMNS: &str = "(module text NOT NULL, version text NOT NULL, kind text NOT NULL, \
    name text NOT NULL, filename text NOT NULL, checksum text, checksum_algorithm text NOT NULL, \
    \"position\" bigint NOT NULL UNIQUE, applied_at timestamptz NOT NULL, execution_ms bigint NOT NULL, \
    applied_by text NOT NULL, down_sql text, down_checksum text, progress integer, \
    in_flight boolean NOT NULL DEFAULT false, ran text, application text NOT NULL DEFAULT '', \
    ended_position bigint NOT NULL DEFAULT 0, digests text, PRIMARY KEY (module, ended_position, version, kind))";

/// Code that shows that it ran, also where its transaction was undone.
const CODE: &str = "CREATE SEQUENCE own.ran; GRANT USAGE ON SCHEMA own TO PUBLIC; \
    GRANT ALL ON SEQUENCE own.ran TO PUBLIC; \
    CREATE FUNCTION own.code() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS \
    'BEGIN PERFORM nextval(''own.ran''); RETURN true; END'; \
    CREATE FUNCTION own.trigger_code() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN PERFORM own.code(); RETURN NEW; END';";

fn one() -> Migrations {
    set(&[("1_a.sql", "-- UP\nCREATE TABLE public.a (id int);\n-- DOWN\nDROP TABLE public.a;")])
}

/// A role that may create in `public`, as every role could before PostgreSQL 15, and has code to attach.
async fn stranger() -> SmallRole {
    let at = SmallRole::create().await;
    at.prepare(
        "GRANT USAGE, CREATE ON SCHEMA public TO {role}; CREATE FOREIGN DATA WRAPPER w; \
         CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER s TO {role}",
    )
    .await;
    at.client.batch_execute(CODE).await.expect("code");
    at
}

/// Creates what the stranger wants to be taken for the ledger.
async fn plant(at: &SmallRole, sql: &str) {
    at.client.batch_execute(&sql.replace("COLUMNS", COLUMNS)).await.expect(sql);
    // Some of it ran as the stranger.
    at.prepare("SELECT setval('own.ran', 1, false)").await;
}

/// Checks that the stranger's code did not run, and that there is no migrated table.
async fn nothing_ran(at: &SmallRole, what: &str) {
    assert_eq!(value(&at.admin, "SELECT is_called FROM own.ran").await, "f", "{what}");
    assert_eq!(value(&at.admin, "SELECT to_regclass('public.a')").await, "NULL", "{what}");
}

fn text(error: &Error, at: &SmallRole) -> String {
    assert_eq!(error.code(), "untrusted", "{error}");
    let me = at.database.config().get_user().expect("a user").to_owned();
    error.to_string().replace(&at.role, "{role}").replace(&format!("`{me}`"), "`me`")
}

const OWNER_HELP: &str = "\nhelp: if `{role}` can be trusted, make `me` its owner (ALTER TABLE .. OWNER TO), or \
    connect as `{role}`; otherwise drop it, and let only the migrator create in the schema";
const KIND_HELP: &str =
    "\nhelp: drop it, or choose another name with `.table(..)` or `.schema(..)`";

#[tokio::test]
async fn planted_ledgers_are_neither_read_nor_written() {
    let view = "CREATE VIEW public.migration_ledger AS SELECT 'default' AS module, '1' AS version, \
                'versioned' AS kind, 'a' AS checksum, NULL::int AS progress, 1 AS \"position\" WHERE own.code()";
    let cases = [
        (view.to_owned(), "is a view, owned by role `{role}`", KIND_HELP),
        (
            view.replace("VIEW", "MATERIALIZED VIEW"),
            "is a materialized view, owned by role `{role}`",
            KIND_HELP,
        ),
        (
            "CREATE TABLE public.migration_ledger (module text, version text) PARTITION BY LIST (module)".to_owned(),
            "is a partitioned table, owned by role `{role}`",
            KIND_HELP,
        ),
        (
            "CREATE FOREIGN TABLE public.migration_ledger (module text) SERVER s".to_owned(),
            "is a foreign table, owned by role `{role}`",
            KIND_HELP,
        ),
        (
            "CREATE SEQUENCE public.migration_ledger".to_owned(),
            "is not a table, and owned by role `{role}`",
            KIND_HELP,
        ),
        (
            "CREATE TABLE public.migration_ledger COLUMNS".to_owned(),
            "is owned by role `{role}`, whose code in it would run as `me`",
            OWNER_HELP,
        ),
        (
            "CREATE TABLE public.migration_ledger COLUMNS; GRANT ALL ON public.migration_ledger TO PUBLIC; \
             CREATE TRIGGER t BEFORE INSERT ON public.migration_ledger FOR EACH ROW \
             EXECUTE FUNCTION own.trigger_code(); \
             ALTER TABLE public.migration_ledger ADD CHECK (own.code())".to_owned(),
            "is owned by role `{role}`, whose code in it would run as `me`",
            OWNER_HELP,
        ),
    ];
    let set = one();
    let migrator = Migrator::new(&set);
    for (sql, problem, help) in cases {
        let mut at = stranger().await;
        plant(&at, &sql).await;
        let error = migrator.run(&mut at.admin).await.expect_err(&sql);
        assert_eq!(text(&error, &at), format!("`public.migration_ledger` {problem}{help}"));
        nothing_ran(&at, &sql).await;
    }
}

#[tokio::test]
async fn every_verb_refuses_a_planted_view() {
    let mut at = stranger().await;
    plant(&at, "CREATE VIEW public.migration_ledger AS SELECT own.code() AS module").await;
    let set = one();
    let other = module("other", &[("1_b.sql", "SELECT 1;")]);
    let (migrator, second) = (Migrator::new(&set), Migrator::new(&other));
    let admin = &mut at.admin;
    let mut errors = vec![
        migrator.run(admin).await.map(drop),
        migrator.trial(admin).await.map(drop),
        migrator.rollback(admin, Rollback::All).await.map(drop),
        migrator.redo(admin).await.map(drop),
        migrator.baseline(admin, "1").await.map(drop),
        migrator.accept(admin, Edited::All).await.map(drop),
        migrator.forget(admin, "1").await.map(drop),
        migrator.plan(admin).await.map(drop),
        migrator.plan_rollback(admin, Rollback::All).await.map(drop),
        migrator.status(admin).await.map(drop),
        migrator.verify(admin).await,
        migrator.history(admin).await.map(drop),
        migrator.require_applied(admin, ["1"]).await,
    ];
    let both = run_in_order([&migrator, &second], admin).await;
    errors.push(both.map(drop).map_err(|error| *error.error));
    assert_eq!(errors.len(), 14);
    for (verb, error) in errors.into_iter().enumerate() {
        let error = error.expect_err(&format!("verb {verb}"));
        assert_eq!(error.code(), "untrusted", "verb {verb}: {error}");
    }
    nothing_ran(&at, "a verb").await;
}

#[tokio::test]
async fn a_ledger_that_is_planted_during_the_first_run_is_noticed() {
    async fn plants(context: RunClient<'_>) -> Result<(), BoxError> {
        let role: String = context
            .query_one(
                "SELECT rolname::text FROM pg_roles WHERE rolname = \
            'role_' || current_database()",
                &[],
            )
            .await?
            .get(0);
        let sql = format!(
            "SET ROLE {role}; CREATE TABLE public.migration_ledger {COLUMNS}; \
             CREATE TRIGGER t BEFORE INSERT ON public.migration_ledger FOR EACH ROW \
             EXECUTE FUNCTION own.trigger_code(); RESET ROLE"
        );
        Ok(context.batch_execute(&sql).await?)
    }
    let alone = set(&[("1_a.sql", "-- migrate:no-transaction\nCREATE TABLE public.a (id int);")]);
    for (lock, set) in [(Lock::Detect, &one()), (Lock::Row, &one()), (Lock::Detect, &alone)] {
        let mut at = stranger().await;
        let migrator = Migrator::new(set).lock(lock).hook(When::BeforeRun, plants);
        let error = migrator.run(&mut at.admin).await.expect_err("a planted table");
        let problem = "is owned by role `{role}`, whose code in it would run as `me`";
        assert_eq!(text(&error, &at), format!("`public.migration_ledger` {problem}{OWNER_HELP}"));
        nothing_ran(&at, "a trigger").await;
        assert_eq!(value(&at.admin, "SELECT count(*) FROM public.migration_ledger").await, "0");
    }
}

#[tokio::test]
async fn code_that_is_attached_to_a_ledger_is_named() {
    let cases = [
        (
            "CREATE TRIGGER \"Odd\nt\" BEFORE UPDATE ON public.migration_ledger FOR EACH ROW \
             EXECUTE FUNCTION own.trigger_code()",
            "of role `me` has the trigger \"Odd\\u{a}t\", which would run as `me`\nhelp: drop the trigger",
        ),
        (
            "CREATE RULE r AS ON INSERT TO public.migration_ledger DO ALSO SELECT own.code()",
            "of role `me` has the rule r, which would run as `me`\nhelp: drop the rule",
        ),
    ];
    let (set, more) =
        (one(), set(&[("1_a.sql", "CREATE TABLE public.a (id int);"), ("2_b.sql", "SELECT 1;")]));
    for (sql, problem) in cases {
        let mut at = stranger().await;
        Migrator::new(&set).run(&mut at.admin).await.expect("a ledger");
        at.prepare(sql).await;
        let error = Migrator::new(&more).run(&mut at.admin).await.expect_err(sql);
        assert_eq!(text(&error, &at), format!("`public.migration_ledger` {problem}"));
        assert_eq!(value(&at.admin, "SELECT is_called FROM own.ran").await, "f", "{sql}");
        let drop = sql.split(" BEFORE").next().unwrap_or(sql).replace("CREATE", "DROP");
        let drop = drop.split(" AS ON").next().unwrap_or_default();
        at.prepare(&format!("{drop} ON public.migration_ledger")).await;
        // The server's flag for it stays set, so the quick check leaves it to the other.
        let report = Migrator::new(&set).run(&mut at.admin).await.expect("without it");
        assert_eq!(report.messages, 1);
    }
}

/// The checks of the ledger's table in the messages of a first run.
fn checks() -> BTreeSet<&'static str> {
    let plain = include_str!("../snapshots/sql/fresh.txt").lines();
    let blocks = include_str!("../snapshots/sql/row_lock.txt").lines();
    let plain = plain.filter(|sql| sql.starts_with("SELECT 1 "));
    let all = plain.chain(blocks.filter(|sql| sql.starts_with("DO ")));
    all.filter(|sql| sql.contains("c.relowner") && sql.contains("public\".\"migration_ledger"))
        .collect()
}

#[tokio::test]
async fn a_check_that_finds_no_table_ends_its_message() {
    let checks = checks();
    assert_eq!(checks.len(), 2, "{checks:?}");
    for check in checks {
        let mut at = stranger().await;
        let missing = at.admin.batch_execute(check).await.expect_err("no table");
        assert_eq!(missing.code(), Some(&SqlState::UNDEFINED_TABLE), "{check}");
        // The name is found, and the snapshot is older than the view.
        let read = at.admin.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let read = read.start().await.expect("a transaction");
        read.batch_execute("SELECT 1").await.expect("a snapshot");
        let view = "CREATE VIEW public.migration_ledger AS SELECT own.code() AS module";
        at.client.batch_execute(view).await.expect("a view");
        let planted = read.batch_execute(check).await.expect_err("a planted view");
        assert_eq!(planted.code(), Some(&SqlState::DIVISION_BY_ZERO), "{check}");
        read.rollback().await.expect("a rollback");
    }
}

#[tokio::test]
async fn a_type_with_the_name_of_the_ledger_ends_the_run() {
    let set = one();
    for sql in [
        "CREATE TYPE public.migration_ledger AS ENUM ()",
        "CREATE DOMAIN public.migration_ledger AS int",
    ] {
        let mut at = stranger().await;
        plant(&at, sql).await;
        let error = Migrator::new(&set).run(&mut at.admin).await.expect_err(sql);
        let first = error.to_string();
        assert_eq!(
            first.lines().next(),
            Some(
                "creating the ledger `public.migration_ledger`: type \"migration_ledger\" already exists (SQLSTATE 42710)"
            ),
            "{sql}"
        );
        nothing_ran(&at, sql).await;
    }
}

#[tokio::test]
async fn tables_to_adopt_from_are_checked_as_the_ledger_is() {
    let table = "(version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL \
                 DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)";
    let view =
        "CREATE VIEW public._sqlx_migrations AS SELECT 1::bigint AS version, own.code() AS success";
    let set = one();
    for (sql, problem, help) in [
        (view.to_owned(), "is a view, owned by role `{role}`", KIND_HELP),
        (
            format!("CREATE TABLE public._sqlx_migrations {table}"),
            "is owned by role `{role}`, whose code in it would run as `me`",
            OWNER_HELP,
        ),
    ] {
        let mut at = stranger().await;
        plant(&at, &sql).await;
        let error = Migrator::new(&set).adopt(&mut at.admin, Adopt::Sqlx).await.expect_err(&sql);
        assert_eq!(text(&error, &at), format!("`public._sqlx_migrations` {problem}{help}"));
        nothing_ran(&at, &sql).await;
    }
}

#[tokio::test]
async fn one_tenants_planted_ledger_stops_no_other_tenant() {
    let at = stranger().await;
    at.prepare("CREATE SCHEMA tenant; CREATE SCHEMA third").await;
    let set = set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int);")]);
    let migrator = Migrator::new(&set);
    let tenants = Tenants::new(&migrator);
    let config = at.database.config();
    let get = async || Ok::<_, std::convert::Infallible>(Box::new(connect(&config).await));
    tenants.run(["tenant", "third"], get, |_| {}).await.expect("tenants");
    plant(&at, "CREATE VIEW own.migration_ledger AS SELECT own.code() AS module").await;
    let report = tenants.run(["tenant", "own", "third"], get, |_| {}).await.expect("tenants");
    assert_eq!(report.up_to_date, ["tenant", "third"]);
    let [(schema, failure)] = report.failed.as_slice() else { panic!("{report}") };
    let text = failure.to_string();
    assert!(
        schema == "own" && text.contains("`own.migration_ledger` is a view, owned by "),
        "{text}"
    );
    nothing_ran(&at, "a tenant's view").await;
}
