//! What a run does to a database, and how many messages it needs.

use std::time::Duration;

use migrate_runtime::report::SkipReason;
use migrate_runtime::status::State;
use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{module, set, tables};
use tokio_postgres::Client;

async fn applied(client: &mut Client, set: &Migrations) -> Vec<String> {
    let report = Migrator::new(set).run(client).await.unwrap_or_else(|error| panic!("{error}"));
    report.applied.into_iter().map(|applied| applied.version.into_owned()).collect()
}

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");
const C: (&str, &str) = ("3_c.sql", "CREATE TABLE c (id int);");

#[tokio::test]
async fn pending_migrations_are_applied_once_and_recorded() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(applied(&mut client, &set(&[A, B])).await, ["1", "2"]);
    assert_eq!(applied(&mut client, &set(&[A, B])).await, [""; 0]);
    assert_eq!(applied(&mut client, &set(&[A, B, C])).await, ["3"]);
    let ledger = value(
        &client,
        "SELECT string_agg(concat_ws(' ', module, version, kind, name, filename, \
         checksum_algorithm, position, applied_by = session_user, length(checksum), \
         down_sql IS NULL, progress IS NULL), '; ' ORDER BY position) FROM migration_ledger",
    )
    .await;
    assert_eq!(
        ledger,
        "default 1 versioned a 1_a.sql sha256-canonical-1 1 t 64 t t; \
         default 2 versioned b 2_b.sql sha256-canonical-1 2 t 64 t t; \
         default 3 versioned c 3_c.sql sha256-canonical-1 3 t 64 t t"
    );
}

#[tokio::test]
async fn reports_tell_what_was_skipped_and_why() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A])).await;
    let both = set(&[A, ("2_slow.sql", "SELECT pg_sleep(0.05);")]);
    let report = Migrator::new(&both).run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 1);
    let slow = &report.applied[0];
    assert_eq!((&*slow.version, &*slow.name), ("2", "slow"));
    assert_eq!(slow.filename, "2_slow.sql");
    assert!(slow.duration >= Duration::from_millis(50), "{slow:?}");
    assert_eq!(report.skipped.len(), 1);
    let skipped = report.skipped.iter().next().expect("one");
    assert_eq!((&*skipped.version, &*skipped.name), ("1", "a"));
    assert_eq!(skipped.reason, SkipReason::AlreadyApplied);
    assert_eq!(report.messages, 3);
    assert!(report.ahead.is_empty());
}

#[tokio::test]
async fn nothing_pending_is_one_message_and_a_fresh_set_is_three() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let set = tables(200);
    let migrator = Migrator::new(&set);
    proxy.reset();
    let report = migrator.run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 200);
    assert_eq!((report.messages, proxy.round_trips()), (3, 3));
    assert_eq!(proxy.queries().len(), 3);
    proxy.reset();
    let report = migrator.run(&mut client).await.expect("a run");
    assert_eq!((report.messages, proxy.round_trips()), (1, 1));
    assert_eq!(proxy.queries().len(), 1);
    assert_eq!(proxy.counts().into_iter().collect::<Vec<_>>(), [('Q', 1)]);
}

#[tokio::test]
async fn large_sets_go_out_in_chunks() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let set = tables(400);
    proxy.reset();
    let chunk = 32 * 1024;
    let report = Migrator::new(&set).chunk_bytes(chunk).run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 400);
    let messages = proxy.queries();
    // The first one reads the ledger; each of the others comes after one that takes the lock, and all but the
    // last are nearly as large as allowed.
    assert!(
        messages.iter().all(|message| message.len() <= chunk),
        "a message of more than {chunk}"
    );
    let full: Vec<&String> = messages[2..messages.len() - 1].iter().step_by(2).collect();
    assert!(full.len() >= 3 && full.iter().all(|message| message.len() > chunk * 3 / 4));
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "400");
}

#[tokio::test]
async fn all_but_the_last_commit_of_a_run_are_asynchronous() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let sql = "INSERT INTO modes VALUES (current_setting('synchronous_commit'));";
    let set = set(&[
        ("1_modes.sql", "CREATE TABLE modes (mode text);"),
        ("2_x.sql", sql),
        ("3_y.sql", sql),
    ]);
    for chunk in [usize::MAX, 1] {
        client.batch_execute("DROP TABLE IF EXISTS modes, migration_ledger").await.expect("drop");
        Migrator::new(&set).chunk_bytes(chunk).run(&mut client).await.expect("a run");
        let modes = value(&client, "SELECT string_agg(mode, ' ') FROM modes").await;
        assert_eq!(modes, "off on", "chunks of {chunk}");
    }
    assert_eq!(value(&client, "SHOW synchronous_commit").await, "on");
}

#[tokio::test]
async fn edited_applied_migration_is_drift() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A, B])).await;
    let edited = set(&[("1_a.sql", "CREATE TABLE a (id bigint);"), B, C]);
    let error = Migrator::new(&edited).run(&mut client).await.expect_err("drift");
    assert!(matches!(error.kind(), ErrorKind::Drift { .. }));
    let text = error.to_string();
    assert!(text.starts_with("ledger and set disagree in 1 place\nversion 1: `migrations/1_a.sql` was edited after postgres applied it at 20"), "{text}");
    assert!(
        text.ends_with(
            "\n  help: restore the file and put the change into a new migration, or use `.allow_edited()`"
        ),
        "{text}"
    );
    assert_eq!(value(&client, "SELECT to_regclass('c') IS NULL").await, "t");
    let report = Migrator::new(&edited).allow_edited().run(&mut client).await.expect("allowed");
    assert_eq!(report.applied.len(), 1);
}

#[tokio::test]
async fn comments_blanks_and_line_endings_are_no_drift() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[("1_a.sql", "CREATE TABLE a (\n  id int\n);\n")])).await;
    let same = set(&[("1_a.sql", "\u{feff}-- licence\r\nCREATE TABLE a(id int) -- x\r\n;\r\n")]);
    assert_eq!(applied(&mut client, &same).await, [""; 0]);
}

#[tokio::test]
async fn version_missing_from_the_set_is_drift_when_older_and_reported_when_newer() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A, B, C])).await;
    let gap = set(&[A, C]);
    let error = Migrator::new(&gap).run(&mut client).await.expect_err("drift");
    assert!(error.to_string().contains("version 2: `2_b.sql` was applied by "), "{error}");
    Migrator::new(&gap).allow_missing().run(&mut client).await.expect("allowed");

    let old = set(&[A, B]);
    let report = Migrator::new(&old).run(&mut client).await.expect("an old replica survives");
    assert_eq!(report.ahead, ["3"]);
    assert!(report.to_string().contains("1 newer than this binary"), "{report}");
    let error = Migrator::new(&old).refuse_ahead().run(&mut client).await.expect_err("refused");
    assert!(error.to_string().contains("is newer than this set"), "{error}");
}

#[tokio::test]
async fn pending_migration_before_an_applied_one_is_drift() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A, C])).await;
    let late = set(&[A, B, C]);
    let error = Migrator::new(&late).run(&mut client).await.expect_err("drift");
    let expected = "ledger and set disagree in 1 place\n\
        version 2: `migrations/2_b.sql` is pending and sorts before version 3, which was applied\n  \
        help: give it a version above the newest applied one, or use `.allow_out_of_order()`";
    assert_eq!(error.to_string(), expected);
    let report = Migrator::new(&late).allow_out_of_order().run(&mut client).await.expect("allowed");
    assert_eq!(report.applied.len(), 1);
    let order = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, order).await, "1 3 2");
}

#[tokio::test]
async fn every_deviation_is_listed_at_once() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A, ("1.5_gone.sql", "SELECT 1;"), C])).await;
    let set = set(&[("1_a.sql", "SELECT 2;"), B, C]);
    let error = Migrator::new(&set).run(&mut client).await.expect_err("drift");
    let ErrorKind::Drift { drift, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(drift.0.len(), 3, "{error}");
}

#[tokio::test]
async fn version_is_the_same_however_it_is_written() {
    let (_database, mut client) = FreshDatabase::connected().await;
    applied(&mut client, &set(&[A])).await;
    assert_eq!(applied(&mut client, &set(&[("V001__a.sql", A.1)])).await, [""; 0]);
}

#[tokio::test]
async fn plan_status_and_verify_apply_nothing() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let two = set(&[A, B]);
    let migrator = Migrator::new(&two);
    let plan = migrator.plan(&client).await.expect("a plan");
    assert_eq!(plan.steps.len(), 2);
    let error = migrator.verify(&client).await.expect_err("pending");
    assert_eq!(error.to_string(), "2 migrations are pending: 1, 2\nhelp: `run` applies them");
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger') IS NULL").await, "t");

    applied(&mut client, &set(&[A])).await;
    let status = migrator.status(&client).await.expect("a status");
    let words: Vec<&str> = status.migrations.iter().map(|row| row.state.as_str()).collect();
    assert_eq!((words.as_slice(), status.pending()), (["applied", "pending"].as_slice(), 1));
    let error = migrator.verify(&client).await.expect_err("pending");
    assert_eq!(error.to_string(), "1 migration is pending: 2\nhelp: `run` applies them");

    applied(&mut client, &set(&[A, B, C])).await;
    migrator.verify(&client).await.expect("up to date");
    let status = migrator.status(&client).await.expect("a status");
    let State::Ahead { by, .. } = &status.migrations[2].state else { panic!("{status}") };
    assert_eq!(by, &value(&client, "SELECT session_user").await);
}

#[tokio::test]
async fn repeatable_migrations_run_whenever_they_changed() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let v = |body: &str| format!("CREATE OR REPLACE VIEW v AS SELECT {body} AS x;");
    let with = |body: &str| {
        set(&[("V1__a.sql", A.1), ("R__v.sql", &v(body)), ("R__a_first.sql", "SELECT 1;")])
    };
    assert_eq!(applied(&mut client, &with("1")).await, ["1", "R__a_first", "R__v"]);
    assert_eq!(applied(&mut client, &with("1")).await, [""; 0]);
    assert_eq!(applied(&mut client, &with("2")).await, ["R__v"]);
    assert_eq!(value(&client, "SELECT x FROM v").await, "2");
    let row = "SELECT concat_ws(' ', count(*), max(position)) FROM migration_ledger \
               WHERE ended_position = 0";
    assert_eq!(value(&client, row).await, "3 4");
}

#[tokio::test]
async fn modules_share_a_ledger_and_stay_apart() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(applied(&mut client, &module("auth", &[A])).await, ["1"]);
    assert_eq!(applied(&mut client, &module("billing", &[("1_x.sql", B.1)])).await, ["1"]);
    assert_eq!(applied(&mut client, &module("auth", &[A])).await, [""; 0]);
    let rows = "SELECT string_agg(module || version, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, rows).await, "auth1 billing1");
}

#[tokio::test]
async fn schemas_are_quoted_and_hold_the_ledger() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[(
        "1_users.sql",
        "CREATE TABLE {{tables.users}} (id int);\n\
         CREATE FUNCTION {{schema}}.f() RETURNS bigint LANGUAGE sql \
         AS $$ SELECT count(*) FROM {{tables.users}} $$;\n\
         -- DOWN? no: a remark\nSELECT '{{tables.users}}'::regclass;",
    )]);
    for name in ["app", "My \"odd\" schema; DROP TABLE x", "o'brien\\"] {
        let migrator = Migrator::new(&set).schema(name).create_schema();
        let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((report.applied.len(), report.messages), (1, 3), "{name}");
        let again = migrator.run(&mut client).await.expect("again");
        assert_eq!(again.applied.len(), 0, "{name}");
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename IN ('users', 'migration_ledger')";
    assert_eq!(value(&client, tables).await, "6");
    let error =
        Migrator::new(&set).schema("nowhere").run(&mut client).await.expect_err("no schema");
    let text = "creating the ledger `nowhere.migration_ledger`: \
                schema \"nowhere\" does not exist (SQLSTATE 3F000)\n\
                help: create the schema, or use `.create_schema()`";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn without_a_schema_placeholders_are_unqualified_or_refused() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let plain =
        set(&[("1_u.sql", "CREATE TABLE {{schema}}.u (id int); SELECT * FROM {{tables.u}};")]);
    assert_eq!(applied(&mut client, &plain).await, ["1"]);
    let needs = set(&[
        ("1_u.sql", plain.iter().next().expect("one").up().text()),
        ("2_s.sql", "\nCOMMENT ON SCHEMA {{schema}} IS '';"),
    ]);
    let error = Migrator::new(&needs).run(&mut client).await.expect_err("no schema");
    assert_eq!(
        error.to_string(),
        "migrations/2_s.sql:2:19: `{{schema}}` needs a schema, and none is set\n\
         help: choose a schema with `.schema(..)`"
    );
}

#[tokio::test]
async fn tables_of_another_shape_are_never_touched() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client
        .batch_execute("CREATE TABLE migration_ledger (version bigint, dirty bool)")
        .await
        .expect("table");
    let error = Migrator::new(&set(&[A])).run(&mut client).await.expect_err("foreign");
    assert_eq!(
        error.to_string(),
        "`public.migration_ledger` is not a migration ledger: it has the columns version, dirty\n\
         help: choose another name with `.table(..)` or `.schema(..)`"
    );
    assert_eq!(value(&client, "SELECT to_regclass('a') IS NULL").await, "t");
    let report = Migrator::new(&set(&[A])).table("other").run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(value(&client, "SELECT count(*) FROM public.other").await, "1");
}

#[tokio::test]
async fn own_transaction_blocks_become_part_of_ours() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set =
        set(&[("1_a.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\nSELECT 1;\nSELECT 1/0;")]);
    let error = Migrator::new(&set).run(&mut client).await.expect_err("division");
    assert!(error.to_string().starts_with("migrations/1_a.sql:5:1: division by zero"), "{error}");
    assert_eq!(value(&client, "SELECT to_regclass('a') IS NULL").await, "t");
}

/// With or without a transaction, in which the statements are sent one by one.
#[tokio::test]
async fn statements_that_only_a_tools_comment_divides_run_one_by_one() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = [
        ("1_drizzle.sql", "CREATE TABLE a (id int)\n--> statement-breakpoint\nSELECT FROM a"),
        ("2_bun.sql", "-- migrate:no-transaction\nVACUUM a\n--bun:split\nSELECT FROM a\n"),
        ("3_failing.sql", "SELECT FROM a\n--> statement-breakpoint\nSELECT 1/0"),
    ];
    let error = Migrator::new(&set(&files)).run(&mut client).await.expect_err("a failure");
    assert!(
        error.to_string().starts_with("migrations/3_failing.sql:3:1: division by zero"),
        "{error}"
    );
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "2");
}

#[tokio::test]
async fn reports_and_statuses_show_as_tables() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let two = set(&[("1_a.sql", "SELECT 1;"), ("10_long name.sql", "SELECT 2;")]);
    let migrator = Migrator::new(&two);
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let status = lines(migrator.status(&client).await.expect("a status").to_string());
    let expected =
        ["version  name       state", "1        a          pending", "10       long name  pending"];
    assert_eq!(status[..3], expected);
    assert_eq!(status[3], "2 pending of 2");
    let report = lines(migrator.run(&mut client).await.expect("a run").to_string());
    assert_eq!(report[0], "version  name       time");
    assert!(report[2].starts_with("10       long name  ") && report[2].ends_with(" ms"));
    assert!(report[3].starts_with("2 applied; 3 messages, "), "{}", report[3]);
    let again = lines(migrator.run(&mut client).await.expect("a run").to_string());
    assert_eq!(again.len(), 1);
    assert!(again[0].starts_with("nothing pending: 2 applied before; 1 message, "), "{}", again[0]);
}
