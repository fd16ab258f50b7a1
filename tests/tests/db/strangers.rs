//! What another role can put where the ledger is looked for, and that none of its code runs.

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

/// Grants what a migrator needs of a ledger that it does not own.
const GRANTS: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON meta.migration_ledger TO {role}";

/// A ledger in the schema `meta` that an administrator has made for the role, as `owner` says.
async fn granted(owner: &str) -> SmallRole {
    let at = SmallRole::create().await;
    let sql = format!(
        "CREATE ROLE {{role}}_o; CREATE ROLE {{role}}_p; CREATE SCHEMA meta; \
         GRANT USAGE ON SCHEMA meta TO {{role}}; {owner}; \
         CREATE TABLE meta.migration_ledger {COLUMNS}; {GRANTS}; RESET ROLE"
    );
    at.prepare(&sql.replace("{db}", at.database.name())).await;
    at
}

#[tokio::test]
async fn row_security_that_hides_entries_is_noticed() {
    let mut at = granted("").await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    migrator.run(&mut at.client).await.expect("a run");
    at.prepare("ALTER TABLE meta.migration_ledger ENABLE ROW LEVEL SECURITY").await;
    let error = migrator.run(&mut at.client).await.expect_err("no rows");
    assert_eq!(
        text(&error, &at),
        "`meta.migration_ledger` of role `me` has row security, which hides rows from `{role}`\n\
         help: ALTER TABLE \"meta\".\"migration_ledger\" DISABLE ROW LEVEL SECURITY, or connect as its owner"
    );
    // It does not apply to the owner, whom the quick check leaves to the other.
    assert_eq!(migrator.run(&mut at.admin).await.expect("the owner").messages, 1);
}

#[tokio::test]
async fn row_security_that_hides_entries_from_their_owner_is_noticed() {
    let mut at = SmallRole::create().await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).schema("own");
    migrator.run(&mut at.client).await.expect("a run");
    let sql =
        "ALTER TABLE own.migration_ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
    at.client.batch_execute(sql).await.expect("row security");
    for error in [
        migrator.run(&mut at.client).await.map(drop),
        migrator.status(&at.client).await.map(drop),
        migrator.verify(&at.client).await,
    ] {
        assert_eq!(
            text(&error.expect_err("no rows"), &at),
            "`own.migration_ledger` of role `{role}` has row security, which hides rows from `{role}`\n\
             help: ALTER TABLE \"own\".\"migration_ledger\" NO FORCE ROW LEVEL SECURITY"
        );
    }
}

#[tokio::test]
async fn ledgers_of_trusted_roles_keep_working_in_one_message() {
    let own = "GRANT USAGE, CREATE ON SCHEMA meta TO {role}_o; SET ROLE {role}_o";
    let owners = [
        // A superuser.
        String::new(),
        // The database's owner, and a role that acts as it.
        format!("ALTER DATABASE {{db}} OWNER TO {{role}}_o; {own}"),
        format!("ALTER DATABASE {{db}} OWNER TO {{role}}_p; GRANT {{role}}_p TO {{role}}_o; {own}"),
        // A role that the migrator is a member of, and one that is a member of the migrator.
        format!("GRANT {{role}}_o TO {{role}}; {own}"),
        format!("GRANT {{role}} TO {{role}}_o; {own}"),
    ];
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    for owner in owners {
        let mut at = granted(&owner).await;
        let result = migrator.run(&mut at.client).await;
        let report = result.unwrap_or_else(|error| panic!("{owner}: {error}"));
        assert_eq!(report.applied.len(), 1, "{owner}");
        // A foreign key to the ledger is a trigger of the server's own.
        let key =
            "CREATE TABLE meta.notes (p bigint REFERENCES meta.migration_ledger (\"position\"))";
        at.prepare(key).await;
        let report = migrator.run(&mut at.client).await.expect("nothing pending");
        assert_eq!((report.applied.len(), report.messages), (0, 1), "{owner}");
    }
}

#[tokio::test]
async fn a_grant_does_not_make_a_stranger_trusted() {
    let own = "GRANT USAGE, CREATE ON SCHEMA meta TO {role}_o; SET ROLE {role}_o";
    let owners = [
        own.to_owned(),
        // The migrator can act as a role that logs in, as an administrator can.
        format!("GRANT {{role}}_o TO {{role}}; ALTER ROLE {{role}}_o LOGIN; {own}"),
        // It does not inherit, as from the roles that it created since PostgreSQL 16.
        format!("ALTER ROLE {{role}} NOINHERIT; GRANT {{role}}_o TO {{role}}; {own}"),
    ];
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    for owner in owners {
        let mut at = granted(&owner).await;
        let error = migrator.run(&mut at.client).await.expect_err(&owner);
        assert_eq!(
            text(&error, &at),
            "`meta.migration_ledger` is owned by role `{role}_o`, whose code in it would run as `{role}`\n\
             help: if `{role}_o` can be trusted, make `{role}` its owner (ALTER TABLE .. OWNER TO), or connect as \
             `{role}_o`; otherwise drop it, and let only the migrator create in the schema",
            "{owner}"
        );
        at.prepare("ALTER TABLE meta.migration_ledger OWNER TO {role}").await;
        assert_eq!(migrator.run(&mut at.client).await.expect("as the help says").applied.len(), 1);
    }
}

/// The checks of the ledger's table in the messages of a first run.
fn checks() -> BTreeSet<&'static str> {
    let sent = include_str!("snapshots/sql/fresh.txt").lines();
    sent.filter(|sql| {
        sql.starts_with("DO ") && sql.contains("migration_ledger\"''::pg_catalog.regclass")
    })
    .collect()
}

#[tokio::test]
async fn a_check_that_finds_no_table_ends_its_message() {
    let checks = checks();
    assert_eq!(checks.len(), 1, "{checks:?}");
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

#[tokio::test]
async fn members_of_a_group_that_writes_all_data_are_reported() {
    // A server of its own: the members of that group may write the ledgers of all tests.
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut client = connect(&server.url_for("postgres").parse().expect("an address")).await;
    let set = one();
    let migrator = Migrator::new(&set);
    migrator.run(&mut client).await.expect("a ledger");
    let group = "SELECT count(*) FROM pg_roles WHERE rolname = 'pg_write_all_data'";
    if value(&client, group).await == "0" {
        // PostgreSQL 13 has no such group.
        assert!(value(&client, "SHOW server_version_num").await.starts_with("13"));
        return;
    }
    client
        .batch_execute("CREATE ROLE boss SUPERUSER IN ROLE pg_write_all_data")
        .await
        .expect("a role");
    assert!(migrator.status(&client).await.expect("a status").writers.is_empty());
    client.batch_execute("CREATE ROLE writer IN ROLE pg_write_all_data").await.expect("a role");
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!(status.writers, ["pg_write_all_data"]);
}

#[tokio::test]
async fn roles_that_may_write_the_ledger_are_reported() {
    let mut at = stranger().await;
    let set = one();
    let migrator = Migrator::new(&set);
    migrator.run(&mut at.admin).await.expect("a ledger");
    at.prepare("GRANT SELECT ON public.migration_ledger TO {role}").await;
    assert!(migrator.status(&at.admin).await.expect("a status").writers.is_empty());
    at.prepare(
        "GRANT TRIGGER ON public.migration_ledger TO PUBLIC; \
         GRANT UPDATE (down_sql) ON public.migration_ledger TO {role}",
    )
    .await;
    let status = migrator.status(&at.admin).await.expect("a status");
    assert_eq!(status.writers, ["PUBLIC", &at.role]);
    let note = format!("\nnote: the ledger can also be written by PUBLIC, {}", at.role);
    assert!(status.to_string().ends_with(&note), "{status}");
}
