//! pgdbm's *Migration Guide*: names of four kinds, templates for schemas, and modules that share a
//! database. The rest is in `pgdbm_operations`.

use migrate_runtime::set::Layout;
use migrate_runtime::source::{NameOptions, SetOptions};
use migrate_runtime::{Migrations, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::{PGDBM, PGDBM_TIMESTAMP};
use migrate_tests::sets::{module, set};
use tokio_postgres::Client;

use super::features::{self, Feature};
use super::{LEDGER, refusal, run, versions};

#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    ("Overview: checksum-based change tracking", "tests/tests/db/seeds/pgdbm_operations.rs: modified_file_is_reported_and_its_record_can_be_removed"),
    ("Overview: module-specific migrations", "modules_share_a_database"),
    ("Overview: dry-run support", "tests/tests/db/seeds/pgdbm_operations.rs: dry_run_changes_nothing"),
    ("Overview: migration history", "tests/tests/db/seeds/pgdbm_operations.rs: history_is_shown_by_status_and_by_sql"),
    ("Overview: rollback recording", "tests/tests/db/seeds/pgdbm_operations.rs: rollback_sql_is_recorded_also_later"),
    ("Directory Structure: files in a folder", "numeric_prefixes"),
    ("Directory Structure: a folder per module, each embedded by its own name", "modules_share_a_database"),
    ("Directory Structure: module folders inside another's folder are refused, so that no file is forgotten", "folders_inside_a_folder_are_refused"),
    ("Basic Usage: apply all pending, with file name and milliseconds of each", "numeric_prefixes"),
    ("Migration Naming: numeric prefix, recomfixed", "numeric_prefixes"),
    ("Migration Naming: gaps for future migrations", "gaps_are_filled_in_time"),
    ("Migration Naming: Flyway style", "flyway_style"),
    ("Migration Naming: timestamp prefix", "timestamp_prefixes"),
    ("Migration Naming: custom names, the entire filename is the version", "custom_names_on_request"),
    ("Migration File Format: comments, tables and indexes", "timestamp_prefixes"),
    ("The {{tables.}} Syntax: schema-qualified table names", "templates_are_of_the_schema"),
    ("Where to Use Templates: tables, references, indexes, functions, queries", "every_context_in_two_schemas"),
    ("When Templates Are Replaced: at execution; files keep the syntax", "templates_are_of_the_schema"),
    ("When Templates Are Replaced: the same migration works in different schemas", "every_context_in_two_schemas"),
    ("Schema Context Behavior: standalone, no schema prefix", "templates_are_of_the_schema"),
    ("Schema Context Behavior: with explicit schema", "templates_are_of_the_schema"),
    ("Schema Context Behavior: shared pool with schema", "tests/tests/db/tenants.rs: deadpool_and_bb8_hand_out_clients_of_tenants"),
    ("Legacy {{schema}} Syntax: also supported", "templates_are_of_the_schema"),
    ("How Migration Tracking Works: without schema in public, with schema in that", "history_lives_in_its_schema"),
    ("How Migration Tracking Works: created automatically in the appropriate schema", "history_lives_in_its_schema"),
    ("How Migration Tracking Works: module, version, filename, checksum, time, milliseconds", "modules_share_a_database"),
    ("How Migration Tracking Works: unique by module and version", "modules_share_a_database"),
    ("Benefits of Schema-Local Migration Tables: complete isolation", "history_lives_in_its_schema"),
    ("Benefits of Schema-Local Migration Tables: independent deployment", "history_lives_in_its_schema"),
    ("Benefits of Schema-Local Migration Tables: simpler permissions", "tests/tests/db/privileges.rs: owning_a_schema_is_enough"),
    ("Benefits of Schema-Local Migration Tables: schema dumps include the history", "history_lives_in_its_schema"),
    ("Benefits of Schema-Local Migration Tables: no module name conflicts", "history_lives_in_its_schema"),
    ("Module Isolation Pattern: a library migrates by itself in its host's database", "modules_share_a_database"),
    ("Multiple Modules in One Database: both have a 001_initial.sql", "modules_share_a_database"),
    ("Dry Run: what would be applied", "tests/tests/db/seeds/pgdbm_operations.rs: dry_run_changes_nothing"),
    ("Dry Run: dry run execution, no changes made", "tests/tests/db/seeds/pgdbm_operations.rs: dry_run_changes_nothing"),
    ("Check Migration Status: history with file and time", "tests/tests/db/seeds/pgdbm_operations.rs: history_is_shown_by_status_and_by_sql"),
    ("Check Migration Status: is_migration_applied, by file name", "tests/tests/db/seeds/pgdbm_operations.rs: one_migration_is_asked_for"),
    ("Check Migration Status: version and file of pending ones", "tests/tests/db/seeds/pgdbm_operations.rs: dry_run_changes_nothing"),
    ("Create New Migration: by name, with content", "tests/tests/db/seeds/pgdbm_operations.rs: next_file_is_created_with_content"),
    ("Failed Migrations: which succeeded, and the last of them", "tests/tests/db/seeds/pgdbm_operations.rs: failure_lists_what_succeeded"),
    ("Rollback Records: record how to undo a migration", "tests/tests/db/seeds/pgdbm_operations.rs: rollback_sql_is_recorded_also_later"),
    ("Rollback Records: get rollback SQL if needed", "tests/tests/db/seeds/pgdbm_operations.rs: rollback_sql_is_recorded_also_later"),
    ("One Change Per Migration: single responsibility", "tests/tests/db/failures.rs: positions_lead_into_the_file"),
    ("Idempotent Migrations: safe to run multiple times", "tests/tests/db/seeds/pgdbm_operations.rs: idempotent_files_run_over_what_is_there"),
    ("Backward Compatible Changes: an immediate breaking change is found by the build", "tests/tests/db/seeds/pgdbm_operations.rs: breaking_change_is_linted"),
    ("Data Migrations: add, populate, then require", "tests/tests/db/seeds/pgdbm_operations.rs: data_are_migrated"),
    ("Integration Example: nothing pending, else one by one with progress", "tests/tests/db/seeds/pgdbm_operations.rs: pending_ones_are_applied_one_by_one"),
    ("Migration Fails with \"Permission Denied\": of an extension", "tests/tests/db/seeds/pgdbm_operations.rs: denied_extension_has_a_help"),
    ("Tables Created in Wrong Schema: templates keep them out of public", "every_context_in_two_schemas"),
    ("Migration Already Applied Error: modified after being applied", "tests/tests/db/seeds/pgdbm_operations.rs: modified_file_is_reported_and_its_record_can_be_removed"),
    ("Migration Already Applied Error: delete the migration record", "tests/tests/db/seeds/pgdbm_operations.rs: modified_file_is_reported_and_its_record_can_be_removed"),
    ("Concurrent Migration Runs: the first instance applies, others skip", "tests/tests/db/replicas.rs: every_replica_comes_up_and_each_migration_runs_once"),
    ("Schema Not Found: create it before, or have it created", "tests/tests/db/seeds/pgdbm_operations.rs: missing_schema_is_reported_or_created"),
    ("Schema Not Found: grant schema permissions", "tests/tests/db/privileges.rs: schemas_that_may_not_be_created_in"),
    ("Foreign Key References Fail: templates in REFERENCES", "every_context_in_two_schemas"),
    ("Finding Which Migrations Ran: the last ten from the table", "tests/tests/db/seeds/pgdbm_operations.rs: history_is_shown_by_status_and_by_sql"),
    ("Adoption: the ledger that pgdbm wrote, verified and gone on with", "tests/tests/db/adopt/written.rs: what_the_tools_wrote_is_taken_over"),
    ("Adoption: who applied a migration comes along", "tests/tests/db/adopt/written.rs: role_that_pgdbm_recorded_is_kept"),
    ("Adoption: files that say -- pgdbm:no-transaction", "tests/tests/db/seeds/pgdbm_operations.rs: files_outside_a_transaction_stay_as_they_are"),
    ("Adoption: the rows of a schema, whose name is the module", "tests/tests/db/adopt/written.rs: what_pgdbm_wrote_in_a_schema_is_taken_over"),
    ("Adoption: one module's rows", "tests/tests/db/adopt/histories.rs: pgdbm_is_verified_by_file_and_module"),
];

#[test]
fn every_feature_is_shown() {
    features::check(&["pgdbm.rs", "pgdbm_operations.rs"], FEATURES);
}

#[tokio::test]
async fn numeric_prefixes() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = run(&PGDBM, &mut client).await;
    let lines: Vec<String> = report
        .applied
        .iter()
        .map(|one| format!("Applied: {} in {}ms", one.filename, one.duration.as_millis()))
        .collect();
    assert_eq!(lines.len(), 11);
    assert!(lines[0].starts_with("Applied: 001_initial_schema.sql in "), "{}", lines[0]);
    assert!(value(&client, LEDGER).await.starts_with("001 002 003 004 "));
}

#[tokio::test]
async fn gaps_are_filled_in_time() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (a, c) = (("001_a.sql", "CREATE TABLE a ();"), ("010_c.sql", "CREATE TABLE c ();"));
    run(&set(&[a, c]), &mut client).await;
    let filled = set(&[a, ("005_b.sql", "CREATE TABLE b ();"), c]);
    let error = Migrator::new(&filled).run(&mut client).await.expect_err("out of order");
    assert!(error.to_string().contains("or use `.allow_out_of_order()`"), "{error}");
    let report = Migrator::new(&filled).allow_out_of_order().run(&mut client).await.expect("b");
    assert_eq!(versions(&report.applied), ["005"]);
}

#[tokio::test]
async fn flyway_style() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        ("V1__initial_schema.sql", "CREATE TABLE a ();"),
        ("V2__add_users.sql", "CREATE TABLE users ();"),
    ]);
    assert_eq!(versions(&run(&set, &mut client).await.applied), ["1", "2"]);
}

#[tokio::test]
async fn timestamp_prefixes() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(PGDBM_TIMESTAMP.layout(), Layout::Timestamp);
    let report = run(&PGDBM_TIMESTAMP, &mut client).await;
    assert_eq!(versions(&report.applied)[..2], ["20240126120000", "20240127093015"]);
    let first = "SELECT full_name FROM users WHERE email = 'admin@example.com'";
    assert_eq!(value(&client, first).await, "Ada Admin");
}

#[tokio::test]
async fn custom_names_on_request() {
    let files = [("users.sql", "DROP TABLE a;"), ("initial.sql", "CREATE TABLE a ();")];
    let text = refusal(&files, &SetOptions::default());
    for name in ["initial", "users"] {
        assert!(text.contains(&format!("`{name}.sql` does not begin with a version")), "{text}");
    }
    let names = NameOptions { layout: Some(Layout::Any), ..NameOptions::default() };
    let options = SetOptions { names, ..SetOptions::default() };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, sql) in files {
        std::fs::write(folder.path().join(name), sql).expect("a file");
    }
    let set = migrate_runtime::source::from_folder(folder.path(), &options).expect("a set");
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(versions(&run(&set, &mut client).await.applied), ["initial", "users"]);
}

#[test]
fn folders_inside_a_folder_are_refused() {
    let files = [
        ("001_initial_schema.sql", "SELECT 1;"),
        ("module_specific/auth/001_auth_tables.sql", "SELECT 1;"),
    ];
    let text = refusal(&files, &SetOptions::default());
    assert!(text.contains("is in a folder that is not a migration"), "{text}");
    assert!(text.contains("otherwise move the file out"), "{text}");
}

/// The statements as they would be sent.
async fn script(set: &Migrations, schema: Option<&str>, client: &Client) -> String {
    let migrator = Migrator::new(set);
    let migrator = match schema {
        Some(schema) => migrator.schema(schema),
        None => migrator,
    };
    let plan = migrator.plan(client).await.expect("a plan");
    migrator.script(&plan).expect("a script")
}

#[tokio::test]
async fn templates_are_of_the_schema() {
    let (_database, client) = FreshDatabase::connected().await;
    let sql = "CREATE TABLE IF NOT EXISTS {{tables.users}} (id int);\n\
               CREATE TABLE IF NOT EXISTS {{schema}}.organizations (id int);";
    let set = set(&[("001_users.sql", sql)]);
    let head = "-- migrations/001_users.sql\n";
    assert_eq!(
        script(&set, None, &client).await,
        format!(
            "{head}CREATE TABLE IF NOT EXISTS \"users\" (id int);\n\
             CREATE TABLE IF NOT EXISTS organizations (id int);\n\n"
        )
    );
    assert_eq!(
        script(&set, Some("myapp"), &client).await,
        format!(
            "{head}CREATE TABLE IF NOT EXISTS \"myapp\".\"users\" (id int);\n\
             CREATE TABLE IF NOT EXISTS \"myapp\".organizations (id int);\n\n"
        )
    );
    assert_eq!(set.iter().next().expect("one").up().text(), sql);
}

#[tokio::test]
async fn every_context_in_two_schemas() {
    let (_database, mut client) = FreshDatabase::connected().await;
    for schema in ["myapp", "other"] {
        // The guide's own function is not qualified: the schema has to be on the path for it.
        client.batch_execute(&format!("SET search_path = {schema}")).await.expect("a path");
        let migrator = Migrator::new(&PGDBM).schema(schema).create_schema();
        let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.applied.len(), 11);
        let count = format!(
            "INSERT INTO {schema}.documents (owner_id) VALUES ('1'); \
             INSERT INTO {schema}.users (email, full_name, phone) VALUES ('a', 'b', 'c')"
        );
        client.batch_execute(&count).await.expect("rows");
        let counted = format!("SELECT {schema}.get_document_count()");
        assert_eq!(value(&client, &counted).await, "1");
        let recent = format!("SELECT doc_count FROM {schema}.user_recent_documents");
        assert_eq!(value(&client, &recent).await, "1");
    }
    let tables = "SELECT string_agg(schemaname || n, ' ' ORDER BY schemaname) FROM (SELECT schemaname, \
                  count(*) AS n FROM pg_tables WHERE schemaname IN ('public', 'myapp', 'other') \
                  GROUP BY schemaname) t";
    // Six tables of its own, and the ledger.
    assert_eq!(value(&client, tables).await, "myapp7 other7");
    let references = "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint \
                      WHERE conrelid = 'myapp.sessions'::regclass AND contype = 'f'";
    assert_eq!(value(&client, references).await, "myapp.users");
}

#[tokio::test]
async fn history_lives_in_its_schema() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("001_users.sql", "CREATE TABLE {{tables.users}} (id int);")]);
    run(&set, &mut client).await;
    for schema in ["auth", "billing"] {
        let migrator = Migrator::new(&set).schema(schema).create_schema();
        assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 1);
    }
    let ledgers = "SELECT string_agg(schemaname, ' ' ORDER BY schemaname) FROM pg_tables \
                   WHERE tablename = 'migration_ledger'";
    assert_eq!(value(&client, ledgers).await, "auth billing public");
    client.batch_execute("DROP SCHEMA auth CASCADE").await.expect("a service that is gone");
    let billing = Migrator::new(&set).schema("billing");
    billing.verify(&client).await.expect("the other one's history");
    let auth = Migrator::new(&set).schema("auth").create_schema();
    assert_eq!(auth.run(&mut client).await.expect("deployed again").applied.len(), 1);
}

/// A library that runs its own migrations, in the database of its host.
async fn library_initialize(client: &mut Client) -> usize {
    let set = module("my_library", &[("001_initial.sql", "CREATE TABLE library ();")]);
    Migrator::new(&set).run(client).await.unwrap_or_else(|error| panic!("{error}")).applied.len()
}

#[tokio::test]
async fn modules_share_a_database() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let host = set(&[("001_initial.sql", "CREATE TABLE host ();")]);
    let auth = module("auth", &[("001_initial.sql", "CREATE TABLE auth ();")]);
    let billing = module("billing", &[("001_initial.sql", "CREATE TABLE billing ();")]);
    for (set, by_library) in [(&host, 1), (&auth, 0), (&billing, 0)] {
        assert_eq!(run(set, &mut client).await.applied.len(), 1);
        assert_eq!(library_initialize(&mut client).await, by_library);
    }
    let tracked = "SELECT string_agg(concat_ws('/', module, version, filename, length(checksum), \
                   execution_ms < 60000), ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(
        value(&client, tracked).await,
        "default/001/001_initial.sql/64/t my_library/001/001_initial.sql/64/t \
         auth/001/001_initial.sql/64/t billing/001/001_initial.sql/64/t"
    );
    let twice = "INSERT INTO migration_ledger SELECT module, version, kind, name, filename, checksum, \
                 checksum_algorithm, 99, applied_at, execution_ms, applied_by FROM migration_ledger \
                 WHERE module = 'auth'";
    let error = client.batch_execute(twice).await.expect_err("unique");
    assert_eq!(error.code().expect("a code").code(), "23505");
}
