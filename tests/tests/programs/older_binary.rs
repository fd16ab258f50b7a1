//! A deployment that is rolled back, with two real binaries: the older one undoes what the newer one applied, by
//! the down scripts in the ledger; a script that was changed there is refused.

use std::process::Command;

use migrate_tests::database::{FreshDatabase, value};
use tokio_postgres::Client;

const OLDER: &str = env!("CARGO_BIN_EXE_older");
const NEWER: &str = env!("CARGO_BIN_EXE_newer");

/// The output of a binary: its report, or its error after `failed: `.
fn call(binary: &str, verb: &str, database: &FreshDatabase) -> String {
    let output = Command::new(binary).args([verb, database.url()]).output().expect(binary);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        text(&output.stdout)
    } else {
        format!("failed: {}", text(&output.stderr))
    }
}

async fn applied(client: &Client) -> String {
    let sql = "SELECT string_agg(version, ' ' ORDER BY version) FROM migration_ledger WHERE ended_position = 0";
    value(client, sql).await
}

/// Everything that the three newer migrations make.
async fn newer_objects(client: &Client) -> String {
    let sql = "SELECT concat_ws(' ', to_regclass('orders'), to_regclass('orders_buyer'), \
               (SELECT tgname FROM pg_trigger WHERE tgname = 'upper_email'), \
               (SELECT proname FROM pg_proc WHERE proname = 'upper_email'))";
    value(client, sql).await
}

#[tokio::test]
async fn older_binary_undoes_what_the_newer_one_applied() {
    let (database, client) = FreshDatabase::connected().await;
    assert!(call(OLDER, "run", &database).contains("\n2 applied; "));
    assert!(call(NEWER, "run", &database).contains("\n3 applied, 2 before; "));
    assert_eq!(newer_objects(&client).await, "orders orders_buyer upper_email upper_email");
    client.batch_execute("INSERT INTO users VALUES (1, 'a', 'a@b')").await.expect("a row");

    // An older replica continues meanwhile, and reports what it does not know.
    let report = call(OLDER, "run", &database);
    assert!(
        report.starts_with("nothing pending: 2 applied before, 3 newer than this binary"),
        "{report}"
    );
    assert_eq!(call(OLDER, "verify", &database), "nothing pending");

    let report = call(OLDER, "rollback", &database);
    let undone: Vec<&str> =
        report.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(undone, ["version", "5", "4", "3", "3"], "{report}");
    assert!(report.contains("\n3 undone; "), "{report}");
    assert_eq!(applied(&client).await, "1 2");
    assert_eq!(newer_objects(&client).await, "");
    assert_eq!(value(&client, "SELECT email FROM users").await, "A@B", "rows stay");

    let again = call(OLDER, "rollback", &database);
    assert!(again.starts_with("nothing to do; "), "{again}");
    assert_eq!(applied(&client).await, "1 2", "its own newest stays");
    assert!(
        call(NEWER, "verify", &database).starts_with("failed: 3 migrations are pending: 3, 4, 5")
    );
    assert!(call(NEWER, "run", &database).contains("\n3 applied, 2 before; "));
    assert_eq!(applied(&client).await, "1 2 3 4 5");
}

#[tokio::test]
async fn down_script_that_was_changed_in_the_ledger_is_refused() {
    for change in [
        "down_sql = 'DROP TABLE users CASCADE'",
        "down_sql = down_sql || ' '",
        "down_checksum = repeat('0', 64)",
        "down_checksum = NULL",
    ] {
        let (database, client) = FreshDatabase::connected().await;
        assert!(call(NEWER, "run", &database).contains("\n5 applied; "));
        let sql = format!("UPDATE migration_ledger SET {change} WHERE version = '4'");
        client.batch_execute(&sql).await.expect(&sql);
        assert_eq!(
            call(OLDER, "rollback", &database),
            "failed: the rollback cannot start; nothing was undone\n\
             version 4: the down script of `4_orders_buyer.sql` in the ledger was changed\n  \
             help: restore it, or use a binary whose set has the migration",
            "{change}"
        );
        assert_eq!(applied(&client).await, "1 2 3 4 5", "{change}");
        assert_eq!(newer_objects(&client).await, "orders orders_buyer upper_email upper_email");
    }
}
