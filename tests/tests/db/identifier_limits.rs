//! Names that are longer than an identifier, empty, or have backslashes.

use std::time::Duration;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::set::Layout;
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator, run_in_order};
use migrate_source::check::{SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::sets::set;

#[tokio::test]
async fn names_in_strings_end_no_string_where_backslashes_escape() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let sql =
        "CREATE TABLE victims (); SET standard_conforming_strings = off; SET backslash_quote = on";
    client.batch_execute(sql).await.expect("old strings");
    let set =
        set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int);\nSELECT '{{tables.a}}'::text;")]);
    let migrator = Migrator::new(&set).schema("\\'; DROP TABLE victims; --").create_schema();
    // Whether it is refused or applied, no part of a name is a statement.
    let _ = migrator.run(&mut client).await;
    assert_eq!(value(&client, "SELECT to_regclass('public.victims') IS NOT NULL").await, "t");
}

fn slow() -> Migrations {
    set(&[("1_a.sql", "SELECT pg_sleep(0.3);"), ("2_b.sql", "CREATE TABLE b ();")])
}

/// Names that are one name to a server: it keeps 63 bytes.
fn alike() -> [(String, String); 2] {
    let one = "x".repeat(63);
    let accents = "é".repeat(31);
    [(one.clone(), format!("{one}y")), (accents.clone(), format!("{accents}é"))]
}

#[tokio::test]
async fn names_that_the_server_would_cut_are_refused() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int);")]);
    let migrator = Migrator::new(&set);
    for (whole, cut) in alike() {
        let created = migrator.clone().schema(&whole).table(&whole).create_schema();
        assert_eq!(created.run(&mut client).await.expect("63 bytes").applied.len(), 1);
        for (option, migrator) in [
            ("`.schema(..)`", migrator.clone().schema(&cut)),
            ("`.schema(..)`", migrator.clone().schema(&cut).ledger_schema("public")),
            ("`.ledger_schema(..)`", migrator.clone().schema(&whole).ledger_schema(&cut)),
            ("`.table(..)`", migrator.clone().schema(&whole).table(&cut)),
        ] {
            let expected = format!(
                "the name of a schema or table is longer than the 63 bytes that a server keeps\n\
                 help: give {option} another name"
            );
            let error = migrator.run(&mut client).await.expect_err(option);
            assert_eq!(error.to_string(), expected);
            assert_eq!(migrator.status(&client).await.expect_err(option).to_string(), expected);
            assert_eq!(migrator.history(&client).await.expect_err(option).to_string(), expected);
            let both = run_in_order([&migrator], &mut client).await.expect_err(option);
            assert_eq!(both.error.to_string(), expected);
        }
        let from = Adopt::Sqlx.table(&cut);
        let error = migrator.adopt(&mut client, from).await.expect_err("a long name");
        assert!(error.to_string().ends_with("\nhelp: give `.table(..)` another name"), "{error}");
    }
}

#[tokio::test]
async fn tenants_whose_names_the_server_would_cut_share_no_schema() {
    let (database, client) = FreshDatabase::connected().await;
    let set = set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int);")]);
    let migrator = Migrator::new(&set).create_schema();
    let tenants = Tenants::new(&migrator);
    let config = database.config();
    let get = async || Ok::<_, std::convert::Infallible>(Box::new(connect(&config).await));
    for (whole, cut) in alike() {
        for up_to_date in [0, 1] {
            let report = tenants.run([&whole, &cut], get, |_| {}).await.expect("tenants");
            assert_eq!(report.up_to_date.len(), up_to_date);
            let [(schema, failure)] = report.failed.as_slice() else { panic!("{report}") };
            assert_eq!(schema, &cut);
            assert!(failure.to_string().contains("longer than the 63 bytes"), "{failure}");
        }
    }
    assert_eq!(value(&client, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'").await, "2");
    for (whole, cut) in alike() {
        let whole = migrator.clone().table(whole);
        let run = Tenants::new(&whole).run(["tenant"], get, |_| {}).await;
        assert_eq!(run.expect("tenants").failed.len(), 0);
        client.batch_execute("DROP TABLE tenant.a").await.expect("for the next name");
        let cut = migrator.clone().table(cut);
        let report = Tenants::new(&cut).run(["tenant"], get, |_| {}).await.expect("tenants");
        assert_eq!((report.up_to_date.len(), report.failed.len()), (0, 1), "{report}");
    }
}

#[tokio::test]
async fn the_servers_encoding_decides_how_long_a_name_is() {
    let (database, admin) = FreshDatabase::connected().await;
    let name = format!("{}_latin", database.name());
    let sql = format!("CREATE DATABASE {name} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0");
    admin.batch_execute(&sql).await.expect("a database");
    let mut config = database.config();
    let mut client = connect(config.dbname(&name)).await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    // 63 bytes in LATIN1, and 126 in UTF-8.
    let migrator = Migrator::new(&set).table("é".repeat(63));
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 1);
    assert_eq!(migrator.run(&mut client).await.expect("again").messages, 1);
    let stored =
        "SELECT char_length(relname) FROM pg_class WHERE relname LIKE 'é%' AND relkind = 'r'";
    assert_eq!(value(&client, stored).await, "63");
    drop(client);
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("it goes");
}

#[tokio::test]
async fn empty_names_are_reported_with_what_to_do() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = slow();
    for (what, migrator) in [
        ("`.schema(..)`", Migrator::new(&set).schema("").create_schema()),
        ("`.ledger_schema(..)`", Migrator::new(&set).ledger_schema("")),
        ("`.table(..)`", Migrator::new(&set).table("")),
    ] {
        let error = migrator.run(&mut client).await.expect_err("an empty name").to_string();
        assert!(error.contains("\nhelp: ") && error.contains(what), "{error}");
    }
}

#[tokio::test]
async fn schema_and_table_in_one_name_are_reported_with_an_option_for_each() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = slow();
    let migrator = Migrator::new(&set).table("meta.ledger").create_schema();
    let error = migrator.run(&mut client).await.expect_err("two names");
    assert_eq!(
        error.to_string(),
        "the name of a schema or table is both, with a dot between them\n\
         help: give each its own option, `.ledger_schema(..)` and `.table(..)`: `meta` and `ledger`"
    );
    assert!(migrator.status(&client).await.is_err());
    // A dot that does not divide is part of a name.
    let migrator = Migrator::new(&set).table(".ledger");
    migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn nul_bytes_are_reported_with_what_to_do() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = slow();
    let error = Migrator::new(&set).table("a\0b").run(&mut client).await.expect_err("a NUL byte");
    let text = error.to_string();
    assert!(text.contains("\nhelp: ") && !text.contains('\0'), "{text:?}");
}

#[tokio::test]
async fn modules_without_a_name_are_refused_or_work() {
    // The macro refuses them; the lock row has the empty module.
    let (_database, mut client) = FreshDatabase::connected().await;
    let options = SetOptions { module: String::new(), ..SetOptions::default() };
    let file = |path: &str| SourceFile::new(path, "SELECT 1;");
    let Ok(one) = check("m", &[file("1_a.sql")], &options) else { return };
    Migrator::new(&one.set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let two = check("m", &[file("1_a.sql"), file("2_b.sql")], &options).expect("a set").set;
    let migrator = Migrator::new(&two).wait_timeout(Duration::from_secs(1));
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1, "{report:?}");
}

#[tokio::test]
async fn entries_of_a_module_without_a_name_are_no_lock() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let mut options = SetOptions { module: String::new(), ..SetOptions::default() };
    options.names.layout = Some(Layout::Any);
    let file = |path: &str| SourceFile::new(path, "SELECT 1;");
    let Ok(one) = check("m", &[file("lock.sql")], &options) else { return };
    Migrator::new(&one.set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let two = check("m", &[file("lock.sql"), file("next.sql")], &options).expect("a set").set;
    Migrator::new(&two).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "2");
}
