//! The schema of a database as a file, and what differs from it.

use std::fs;
use std::path::Path;

use migrate_runtime::schema::{SchemaDifference, SchemaScope};
use migrate_runtime::{ErrorKind, Migrator};
use migrate_testing::{SchemaFileError, check_schema};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::schema_files::{round_trip, schema_of};
use migrate_tests::sets::set;

const WIDE: &str = include_str!("schema/wide.sql");

/// A database with an object of each kind.
async fn wide() -> FreshDatabase {
    let database = FreshDatabase::create().await;
    database.connect().await.batch_execute(WIDE).await.expect("all kinds of objects");
    database
}

fn same_lines(one: &str, other: &str) {
    let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert_eq!(differ, None);
    assert_eq!(one.lines().count(), other.lines().count());
}

#[tokio::test]
async fn schema_of_all_kinds_is_one_text_on_each_server_and_makes_the_same_database() {
    let database = wide().await;
    let result = round_trip(&database, &SchemaScope::new().with_grants()).await;
    let found = result.unwrap_or_else(|refused| panic!("{refused}"));
    let role = value(&database.connect().await, "SELECT quote_ident(current_user)").await;
    let text =
        found.text.replace(&format!(" {role} "), " me ").replace(&format!(" {role}\n"), " me\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/db/schema/wide.schema.sql");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).expect("the expected text");
    }
    same_lines(&fs::read_to_string(&file).expect("the expected text"), &text);
    same_lines(&found.text, &found.text_again);
    if let (Some(dump), Some(again)) = (found.dump, found.dump_again) {
        let (before, rest) = dump.split_once("-- Name: english_too;").expect("what is not written");
        let (_, after) = rest.split_once("\n--\n-- ").expect("the next object");
        let before = before.trim_end_matches("\n--\n").trim_end();
        same_lines(&format!("{before}\n\n\n--\n-- {after}"), &again);
    }
}

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, kind varchar(9)); \
    CREATE INDEX by_email ON users (email); CREATE VIEW mails AS SELECT email FROM users; \
    CREATE TABLE log (at timestamptz, note text) PARTITION BY RANGE (at); \
    CREATE TABLE log_1 PARTITION OF log DEFAULT;";

/// The settings that the answer depends on are those of the message, also in a transaction of the caller.
#[tokio::test]
async fn callers_transaction_keeps_its_settings() {
    const SETTINGS: &str = "SELECT concat_ws(' ', current_setting('search_path'), current_setting('datestyle'), \
                            current_setting('row_security'))";
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_shop.sql", SHOP)]);
    let migrator = Migrator::new(&set);
    migrator.run(&mut client).await.expect("a run");
    let file = migrator.read_schema(&client, &SchemaScope::new()).await.expect("a file");
    client.batch_execute("BEGIN; SET LOCAL datestyle = 'SQL, DMY'").await.expect("a transaction");
    migrator.verify_schema(&client, &file).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&client, SETTINGS).await, "\"$user\", public SQL, DMY on");
}

/// What differs after these statements, a line each.
async fn differences(scope: SchemaScope, statements: &str) -> Vec<String> {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_shop.sql", SHOP)]);
    let migrator = Migrator::new(&set);
    migrator.run(&mut client).await.expect("a run");
    let file = migrator.read_schema(&client, &scope).await.expect("a file");
    client.batch_execute(statements).await.expect(statements);
    match migrator.verify_schema(&client, &file).await {
        Ok(()) => Vec::new(),
        Err(error) => match error.kind() {
            ErrorKind::Schema { differences } => {
                differences.iter().map(SchemaDifference::to_string).collect()
            }
            _ => panic!("{error}"),
        },
    }
}

#[tokio::test]
async fn what_was_changed_by_hand_is_named_object_by_object() {
    let check = async |statements: &str, expected: &[&str]| {
        assert_eq!(differences(SchemaScope::new(), statements).await, expected, "{statements}");
    };
    check("", &[]).await;
    check("CREATE TABLE _sqlx_migrations (version bigint); REINDEX TABLE users; ANALYZE", &[])
        .await;
    check(
        "ALTER TABLE users ALTER email DROP NOT NULL, ADD nick text",
        &[
            "column public.users.nick is not expected: text",
            "column public.users.email: expected text NOT NULL, found text",
        ],
    )
    .await;
    check(
        "DROP INDEX by_email; CREATE INDEX by_email ON users (lower(email)); ALTER TABLE users DROP CONSTRAINT users_pkey",
        &[
            "constraint users_pkey on public.users is missing: PRIMARY KEY (id)",
            "index public.by_email on public.users: expected CREATE INDEX by_email ON public.users USING btree \
             (email), found CREATE INDEX by_email ON public.users USING btree (lower(email))",
        ],
    )
    .await;
    check(
        "DROP VIEW mails; DROP TABLE users; CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        &[
            "table public.users is missing: CREATE TABLE public.users",
            "view public.mails is missing: CREATE VIEW public.mails AS ..",
            "table public.log_2 is not expected: CREATE TABLE public.log_2",
        ],
    )
    .await;
}

#[tokio::test]
async fn scope_leaves_out_what_differs_on_purpose() {
    let check = async |scope: SchemaScope, statements: &str, expected: &[&str]| {
        assert_eq!(differences(scope, statements).await, expected, "{statements}");
    };
    let all = SchemaScope::new;
    let partition = "CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); \
                     CREATE INDEX log_2_note ON log_2 (note)";
    check(all().without_partitions(), partition, &[]).await;
    let tenant = "CREATE SCHEMA tenant_1; CREATE TABLE tenant_1.t (id int)";
    check(all().without_schema("tenant_*"), tenant, &[]).await;
    check(all().only_schema("public"), tenant, &[]).await;
    check(all().without_extensions(), "CREATE EXTENSION pg_trgm", &[]).await;
    check(
        all(),
        "CREATE EXTENSION pg_trgm",
        &["extension pg_trgm is not expected: CREATE EXTENSION pg_trgm WITH SCHEMA public"],
    )
    .await;
    check(all().without_comments(), "COMMENT ON TABLE users IS 'who'", &[]).await;
    let grant = "GRANT SELECT ON users TO PUBLIC";
    check(all(), grant, &[]).await;
    check(
        all().with_grants(),
        grant,
        &["table public.users: GRANT SELECT ON TABLE public.users TO PUBLIC is not expected"],
    )
    .await;
}

#[tokio::test]
async fn schema_is_read_with_one_message_in_a_session_with_settings() {
    let database = wide().await;
    let expected = schema_of(&database.connect().await, &SchemaScope::new()).await;
    let proxy = CountingProxy::start(&database.config()).await;
    let client = proxy.connect().await;
    let settings = "SET search_path = shop, public; SET datestyle = 'German'; SET timezone = 'Asia/Tokyo'; \
                    SET intervalstyle = iso_8601; SET bytea_output = escape; SET quote_all_identifiers = on; \
                    SET default_transaction_read_only = on";
    client.batch_execute(settings).await.expect("settings");
    proxy.reset();
    same_lines(&expected, &schema_of(&client, &SchemaScope::new()).await);
    assert_eq!(proxy.queries().len(), 1);
    let path = "SELECT current_setting('search_path') || current_setting('timezone')";
    assert_eq!(value(&client, path).await, "shop, publicAsia/Tokyo");
}

#[test]
fn stale_schema_file_is_reported_with_what_the_set_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("schema.sql");
    let set = set(&[("1_shop.sql", SHOP)]);
    let missing = check_schema(&set, &file).expect_err("no file").to_string();
    assert!(missing.contains("`MIGRATE_UPDATE_SCHEMA=1 cargo test` creates it"), "{missing}");
    fs::write(&file, "-- without partitions\n-- table public.users\nCREATE TABLE public.users (\n    id bigint\n);\n")
        .expect("a file");
    let stale = check_schema(&set, &file).expect_err("another schema");
    let SchemaFileError::Stale { differences, .. } = &stale else { panic!("{stale}") };
    assert_eq!(differences.len(), 7, "{stale}");
    assert!(
        stale
            .to_string()
            .contains("column public.users.id: expected bigint, found bigint NOT NULL")
    );
}
