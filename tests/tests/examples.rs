//! The examples as a reader runs them: built, run, and held to what they print.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::env;
use std::path::Path;
use std::process::Command;

use migrate_tests::database::FreshDatabase;

/// Builds the example into the folder that this test was built into, runs it, and gives its output.
fn output(example: &str, database: Option<&FreshDatabase>) -> String {
    let test = env::current_exe().unwrap();
    // <target>/<profile>/deps/<test>
    let target = test.ancestors().nth(3).unwrap();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "-p", example, "--target-dir"]).arg(target);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).env_remove("DATABASE_URL");
    if let Some(database) = database {
        command.env("DATABASE_URL", database.url());
    }
    let output = command.output().unwrap();
    let utf8 = |bytes| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{example}: {}", utf8(output.stderr));
    utf8(output.stdout)
}

#[tokio::test]
async fn multi_tenant_migrates_each_schema_once() {
    let database = FreshDatabase::create().await;
    let printed = output("multi-tenant", Some(&database));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 6, "{printed}");
    assert_eq!(lines[0], "0 up to date, 3 to migrate");
    assert!(lines[4].starts_with("0 up to date, 3 migrated, 0 failed"), "{printed}");
    let second = "3 up to date, 0 migrated, 0 failed; 2 messages, ";
    assert!(lines[5].starts_with(second), "{printed}");
}

#[tokio::test]
async fn library_and_service_share_a_ledger() {
    let database = FreshDatabase::create().await;
    let printed = output("library-with-module", Some(&database));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 13, "{printed}");
    assert_eq!((lines[0], lines[4]), ("first boot, accounts:", "first boot, notes:"));
    assert!(lines[10].starts_with("nothing pending: 1 applied before; 1 message, "), "{printed}");
    assert!(lines[12].starts_with("nothing pending: 2 applied before; 0 messages, "), "{printed}");
}

#[test]
fn sqlx_is_adopted_and_gone_on_from() {
    let printed = output("adopt-sqlx", None);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("1 amended; "), "{printed}");
    assert!(lines[3].starts_with("1 applied, 1 before; "), "{printed}");
    assert_eq!(lines.last(), Some(&"0 pending of 2"), "{printed}");
}
