//! Sessions and migrations of another client encoding. In some, a backslash is half of a character, so text that
//! was UTF-8 ends its strings elsewhere.

use migrate_runtime::Migrator;
use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::tenants::Tenants;
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::sets::set;

/// The encodings of clients that no server has, the last bytes of whose characters can be ASCII; and others.
const ENCODINGS: [&str; 9] =
    ["SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004", "LATIN1", "SQL_ASCII"];

fn error_of(encoding: &str) -> String {
    format!(
        "the session's client_encoding is {encoding}, and migrations are sent as UTF8\n\
         help: leave `client_encoding` as the driver sets it, in the session and in migrations"
    )
}

#[tokio::test]
async fn sessions_of_other_encodings_are_refused() {
    let set = set(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    for ledger in [false, true] {
        let (_database, mut client) = FreshDatabase::connected().await;
        let migrator = Migrator::new(&set);
        if ledger {
            migrator.run(&mut client).await.expect("a run");
        }
        for encoding in ENCODINGS {
            client
                .batch_execute(&format!("SET client_encoding = '{encoding}'"))
                .await
                .expect(encoding);
            let error = migrator.run(&mut client).await.expect_err(encoding);
            assert_eq!((error.to_string(), error.code()), (error_of(encoding), "encoding"));
            let is_migrated = value(&client, "SELECT to_regclass('a') IS NOT NULL").await;
            assert_eq!(is_migrated == "t", ledger, "{encoding}");
        }
        // Another name of UTF8.
        client.batch_execute("SET client_encoding = 'unicode'").await.expect("UTF8");
        let report = migrator.run(&mut client).await.expect("a run");
        assert_eq!(report.applied.len(), usize::from(!ledger));
    }
}

#[tokio::test]
async fn names_are_no_statements_in_other_encodings() {
    let (database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE TABLE victims ()").await.expect("a table");
    client
        .batch_execute("SET client_encoding = 'SJIS'; SET backslash_quote = on")
        .await
        .expect("SJIS");
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    // In SJIS the second byte of the letter and a backslash are one character.
    for end in ["\'", "\')", "\'])", "\" END'"] {
        let name = format!("Á\\{end}; DROP TABLE victims; --");
        let migrator = Migrator::new(&set).schema("s").table(&name).create_schema();
        let error = migrator.run(&mut client).await.expect_err(&name);
        assert_eq!(error.to_string(), error_of("SJIS"));
        let error = Migrator::new(&set).schema(&name).run(&mut client).await.expect_err(&name);
        assert_eq!(error.to_string(), error_of("SJIS"));
        let get = async || {
            let client = connect(&database.config()).await;
            client.batch_execute("SET client_encoding = 'SJIS'; SET backslash_quote = on").await?;
            Ok::<_, tokio_postgres::Error>(Box::new(client))
        };
        let tenants = Migrator::new(&set);
        let report = Tenants::new(&tenants).run([&name], get, |_| {}).await.expect("tenants");
        let [(_, failure)] = report.failed.as_slice() else { panic!("{report}") };
        assert!(failure.to_string().ends_with(&error_of("SJIS")), "{failure}");
        assert_eq!(
            value(&client, "SELECT to_regclass('victims') IS NOT NULL").await,
            "t",
            "{name}"
        );
    }
}

#[tokio::test]
async fn migrations_that_leave_another_encoding_are_refused() {
    let after = ("3_c.sql", "CREATE TABLE c (id int);");
    let cases = [
        ("2_b.sql", "-- migrate:no-transaction\nSET client_encoding = 'SJIS';\nVACUUM a;"),
        ("2_b.sql", "RESET ALL; SET client_encoding = 'SJIS';"),
        ("2_b.sql", "-- migrate:no-transaction\nVACUUM a;\nSET client_encoding TO BIG5;"),
    ];
    for (name, sql) in cases {
        let (_database, mut client) = FreshDatabase::connected().await;
        let set = set(&[("1_a.sql", "CREATE TABLE a (id int);"), (name, sql), after]);
        let error = Migrator::new(&set).run(&mut client).await.expect_err(sql);
        assert_eq!(error.code(), "encoding", "{sql}: {error}");
        let done = error.report().map(|report| report.applied.len());
        assert_eq!(done, Some(1), "{sql}");
        assert_eq!(value(&client, "SELECT to_regclass('c')").await, "NULL", "{sql}");
        assert_eq!(value(&client, "SHOW client_encoding").await, "UTF8", "{sql}");
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0", "{sql}");
    }
}

#[tokio::test]
async fn migrations_that_set_an_encoding_inside_a_transaction_are_followed_by_the_sessions_own() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        (
            "1_a.sql",
            "CREATE TABLE a (v text); SET client_encoding = 'SJIS'; INSERT INTO a VALUES ('é');",
        ),
        ("2_b.sql", "INSERT INTO a VALUES ('ü');"),
    ]);
    Migrator::new(&set).chunk_bytes(1).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, "SELECT string_agg(v, '' ORDER BY v) FROM a").await, "éü");
}

#[tokio::test]
async fn hooks_that_set_another_encoding_stop_the_run() {
    async fn sets(context: RunClient<'_>) -> Result<(), BoxError> {
        Ok(context.batch_execute("SET client_encoding = 'SJIS'").await?)
    }
    for when in [When::BeforeRun, When::BeforeEach, When::AfterEach] {
        let (_database, mut client) = FreshDatabase::connected().await;
        let set = set(&[("1_a.sql", "CREATE TABLE a (id int); SELECT 'é\\';")]);
        let error = Migrator::new(&set).hook(when, sets).run(&mut client).await.expect_err("SJIS");
        assert_eq!(error.code(), "encoding", "{when:?}: {error}");
        assert_eq!(value(&client, "SELECT to_regclass('a')").await, "NULL", "{when:?}");
    }
}
