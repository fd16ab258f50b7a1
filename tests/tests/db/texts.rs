//! Texts of a server and of files in errors: no password, no values of rows where they are hidden, and
//! nothing that looks like a line of ours or that a terminal would act on.

use std::convert::Infallible;

use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Error, ErrorKind, MigrationFailure, Migrator};
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::sets::unparsed;

async fn failure(sql: &str, hides: bool) -> (Error, MigrationFailure) {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = unparsed(&[("1_a.sql", sql)]);
    let migrator = Migrator::new(&set);
    let migrator = if hides { migrator.hide_details() } else { migrator };
    let error = migrator.run(&mut client).await.expect_err("a failure");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    let failure = (**failure).clone();
    (error, failure)
}

#[tokio::test]
async fn passwords_in_statements_are_masked() {
    let statements = [
        "CREATE ROLE migrate_never LOGIN PASSWORD 's3cret' NOSUCH",
        "CREATE ROLE postgres PASSWORD $$s3cret$$",
        "ALTER ROLE migrate_never WITH ENCRYPTED PASSWORD E's3cret'",
        "ALTER ROLE migrate_never PASWORD 's3cret'",
        "CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (user 'u', password 's3cret')",
        "-- migrate:no-transaction\nCREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 \
         password=s3cret dbname=d' PUBLICATION p",
        "SELECT * FROM nowhere.dblink('host=h password=s3cret', 'SELECT 1')",
        "COMMENT ON TABLE nowhere IS 'postgres://me:s3cret@h/d'",
        "DO $do$ BEGIN EXECUTE 'ALTER ROLE migrate_never PASSWORD ''s3cret'''; END $do$",
        "DO $do$ BEGIN RAISE 'at password=s3cret' USING DETAIL = 'amqp://me:s3cret@h', \
         HINT = 'PASSWORD ''s3cret'''; END $do$",
        "DO $do$ BEGIN EXECUTE format('ALTER ROLE migrate_never PASSWORD %L', 's3cret'); END $do$",
        "UPDATE nowhere SET password = crypt('s3cret', gen_salt('bf'))",
        "INSERT INTO nowhere (name, password) VALUES ('me', 's3cret')",
        "CREATE TEMP TABLE u (password int); INSERT INTO u (password) VALUES ('s3cret')",
        "CREATE TEMP TABLE u (password text CHECK (password = '')); INSERT INTO u (password) VALUES ('s3cret')",
    ];
    for statement in statements {
        let (error, failure) = failure(&format!("{statement};"), false).await;
        for text in [chain(&error), format!("{error:?}"), format!("{failure:?}")] {
            assert!(!text.contains("s3cret"), "{text}");
        }
        assert!(failure.statement.is_some_and(|statement| statement.contains("***")), "{error}");
    }
}

#[tokio::test]
async fn a_script_keeps_its_passwords() {
    let sql = "CREATE ROLE migrate_never PASSWORD 's3cret';";
    let (_database, client) = FreshDatabase::connected().await;
    let set = unparsed(&[("1_a.sql", sql)]);
    let migrator = Migrator::new(&set);
    let plan = migrator.plan(&client).await.expect("a plan");
    assert!(migrator.script(&plan).expect("a script").contains(sql));
}

#[tokio::test]
async fn a_servers_text_cannot_look_like_ours() {
    let sql = "DO $$ BEGIN RAISE E'no\\nhelp: run this\\r\\x1b[2J' USING DETAIL = \
               E'a\\nversion 1 was applied', HINT = U&'b\\202E\\000Ac'; END $$;";
    let (error, failure) = failure(sql, false).await;
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "migrations/1_a.sql:1:7: no");
    assert_eq!(lines[1], r"    help: run this\u{d}\u{1b}[2J (SQLSTATE P0001)");
    assert!(lines.contains(&"    version 1 was applied"), "{text}");
    let hint = lines.iter().position(|line| *line == r"hint: b\u{202e}").expect("a hint");
    assert_eq!(lines[hint + 1], "    c");
    let is_hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(is_hidden), "{text:?}");
    assert!(!failure.to_string().contains(is_hidden), "{failure}");
}

#[tokio::test]
async fn a_name_in_the_ledger_cannot_look_like_ours() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let both = [("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", "CREATE TABLE b (id int);")];
    Migrator::new(&unparsed(&both)).run(&mut client).await.expect("a run");
    let forge = "UPDATE migration_ledger SET filename = E'1_a.sql\\nhelp: drop it\\x1b', applied_by = \
                 E'me\\nhelp: drop it', checksum = E'x\\ny' WHERE version = '1' RETURNING 1";
    assert_eq!(value(&client, forge).await, "1");
    for files in [&both[..1], &both[1..]] {
        let set = unparsed(files);
        let Err(error) = Migrator::new(&set).refuse_ahead().run(&mut client).await else {
            panic!("no drift")
        };
        let text = error.to_string();
        assert!(text.contains(r"\u{a}"), "{text}");
        assert!(!text.contains("\nhelp: drop it"), "{text}");
    }
}

/// The texts of an error and its sources, as programs log them.
fn chain(error: &Error) -> String {
    let first: Option<&dyn std::error::Error> = Some(error);
    let texts = std::iter::successors(first, |error| error.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn values_of_rows_can_be_hidden() {
    let sql = "CREATE TABLE a (email text UNIQUE); INSERT INTO a VALUES ('me@x'), ('me@x');";
    let (error, shown) = failure(sql, false).await;
    assert!(error.to_string().contains("\ndetail: Key (email)=(me@x) already exists."), "{error}");
    assert!(shown.detail.is_some());
    assert!(chain(&error).contains("(me@x)"));
    let (error, hidden) = failure(sql, true).await;
    assert!(!chain(&error).contains("(me@x)"), "{error}");
    assert!(hidden.detail.is_none() && hidden.message == shown.message, "{hidden:?}");
}

#[tokio::test]
async fn a_tenants_name_cannot_look_like_ours() {
    let database = FreshDatabase::create().await;
    let config = database.config();
    let set = unparsed(&[("1_a.sql", "SELECT 1/0;")]);
    let migrator = Migrator::new(&set).create_schema();
    let get = || async { Ok::<_, Infallible>(Box::new(connect(&config).await)) };
    let mut lines = Vec::new();
    let tenants = Tenants::new(&migrator);
    let schemas = ["a\nhelp: b".to_owned()];
    let report = tenants.run(&schemas, get, |progress| lines.push(progress.to_string())).await;
    lines.push(report.expect("a run").to_string());
    assert!(lines.len() > 1, "{lines:?}");
    for text in lines {
        assert!(!text.contains("\nhelp: b"), "{text}");
    }
}
