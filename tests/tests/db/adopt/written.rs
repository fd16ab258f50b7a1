//! Ledgers that the tools themselves wrote, except four that could not be had: `tests/ledgers` holds a dump each,
//! headed by the version that wrote it. What is verified must be so by the tool's own digits, on the guide's own files.
//! What else a history may hold is for `histories`, made by hand.

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::{ALL, Predecessor};

/// With another word in the first file, its checksum differs, and only the file is named.
async fn refuses_an_edit(from: &Predecessor) {
    let folder = tempfile::tempdir().expect("a folder");
    for (index, migration) in from.set.iter().enumerate() {
        let text = migration.up().text();
        let edits = usize::from(index == 0);
        let text = text.replacen("CREATE TABLE", "CREATE UNLOGGED TABLE", edits);
        let path = folder.path().join(migration.filename());
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let edited = from_folder(folder.path(), &SetOptions::default());
    let edited = edited.unwrap_or_else(|errors| panic!("{}: {errors}", from.name));
    let (_database, mut client) = FreshDatabase::connected().await;
    from.leave(&client).await;
    let migrator = Migrator::new(&edited);
    let error = migrator.adopt(&mut client, from.adoption()).await.expect_err(from.name);
    let ErrorKind::Adoption { obstacles, .. } = error.kind() else {
        panic!("{}: {error}", from.name)
    };
    assert_eq!(obstacles.0.len(), 1, "{error}");
    let algorithm = from.tool.algorithm().expect("an algorithm");
    let file = edited.iter().next().expect("a file").filename();
    let text = format!("{file} differs from what was applied: {algorithm} ");
    assert!(error.to_string().contains(&text), "{error}");
}

#[tokio::test]
async fn what_the_tools_wrote_is_taken_over() {
    assert_eq!(ALL.iter().filter(|from| from.tool.algorithm().is_some()).count(), 17);
    for from in ALL {
        from.goes_on(from.set).await;
    }
}

#[tokio::test]
async fn what_the_tools_wrote_is_no_other_text() {
    for from in ALL.iter().filter(|from| from.tool.algorithm().is_some()) {
        refuses_an_edit(from).await;
    }
}

/// pgdbm keeps who applied a migration, which its guide's own table does not have.
#[tokio::test]
async fn role_that_pgdbm_recorded_is_kept() {
    let from = Predecessor::named("pgdbm").expect("pgdbm");
    let (_database, mut client) = FreshDatabase::connected().await;
    from.leave(&client).await;
    client
        .batch_execute("UPDATE schema_migrations SET applied_by = 'deployer'")
        .await
        .expect("a role");
    Migrator::new(from.set).adopt(&mut client, from.tool).await.expect("adopted");
    let by = "SELECT string_agg(DISTINCT applied_by, ' ') FROM migration_ledger WHERE kind = 'versioned'";
    assert_eq!(value(&client, by).await, "deployer");
}

/// With a schema and no module, pgdbm's module is the schema's name.
#[tokio::test]
async fn what_pgdbm_wrote_in_a_schema_is_taken_over() {
    let from = Predecessor::named("pgdbm").expect("pgdbm");
    let (_database, mut client) = FreshDatabase::connected().await;
    let left = from.left().replace("public.", "myapp.").replace("'default'", "'myapp'");
    client.batch_execute("CREATE SCHEMA myapp").await.expect("a schema");
    client.batch_execute(&left).await.expect(&left);
    let migrator = Migrator::new(from.set).schema("myapp");
    let none = migrator.adopt(&mut client, from.tool).await.expect("another module");
    assert_eq!(none.amended.len(), 0);
    let report = migrator.adopt(&mut client, from.tool.module("myapp")).await.expect("adopted");
    assert_eq!((report.amended.len(), report.notes.len()), (from.applied, 0));
    assert_eq!(migrator.run(&mut client).await.expect("the rest").applied.len(), 2);
    assert_eq!(value(&client, "SELECT to_regclass('public.migration_ledger')").await, "NULL");
}
