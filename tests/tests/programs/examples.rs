//! The examples, as a reader runs them, and their output.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::Command;

use migrate_tests::cargo::{as_from_a_shell, program};
use migrate_tests::database::{FreshDatabase, connect, server, value};

fn command(example: &str) -> Command {
    let mut command = Command::new(program(example));
    as_from_a_shell(&mut command).env_remove("DATABASE_URL");
    command
}

#[tokio::test]
async fn no_example_connects_to_the_database_of_the_environment() {
    let database = FreshDatabase::create().await;
    let name = database.name();
    let closed = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
    connect(&server().url().parse().unwrap()).await.batch_execute(&closed).await.unwrap();
    for (example, args) in [
        ("adopt-sqlx", &[][..]),
        ("boot-service", &["--once"]),
        ("boot-service", &["migrate", "up", "--yes"]),
        ("ci-check", &[]),
        ("library-with-module", &[]),
        ("multi-tenant", &[]),
        ("run-metrics", &[]),
    ] {
        let mut command = command(example);
        let output = command.args(args).env("DATABASE_URL", database.url()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{example} {args:?}: {stderr}");
        let lines =
            stderr.lines().filter(|line| line.contains("a throwaway server, removed at exit"));
        assert_eq!(lines.count(), 1, "{example} {args:?}: {stderr}");
    }
}

/// What the example prints to standard output.
fn output(example: &str, database: Option<&FreshDatabase>) -> String {
    let mut command = command(example);
    if let Some(database) = database {
        command.args(["--database-url", database.url()]);
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

#[tokio::test]
async fn metrics_show_how_each_run_ended() {
    let database = FreshDatabase::create().await;
    let printed = output("run-metrics", Some(&database));
    let with =
        |name: &str| printed.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(
        with("migrate_runs_total{"),
        [
            "migrate_runs_total{module=\"orders\",outcome=\"older_peer\"} +1",
            "migrate_runs_total{module=\"orders\",outcome=\"ok\"} +1",
            "migrate_runs_total{module=\"orders\",outcome=\"ok\"} +1",
        ]
    );
    let pending: Vec<&str> = with("migrate_migrations_pending{")
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(pending, ["2", "-1", "-1", "0", "0"], "{printed}");
    assert_eq!(with("migrate_migrations_applied_total{").len(), 2);
    assert_eq!(with("migrate_migration_duration_seconds{").len(), 2);
    assert_eq!(with("# migrate_").len(), 8);
    let guide = include_str!("../../../docs/guides/operations.md");
    for line in with("# ") {
        let name = line.trim_start_matches("# ").split(' ').next().unwrap();
        assert!(guide.contains(&format!("\n| `{name}` |")), "{name}");
    }
}

#[test]
fn sqlx_is_adopted_and_gone_on_from() {
    let printed = output("adopt-sqlx", None);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("1 amended; "), "{printed}");
    assert!(lines[3].starts_with("1 applied, 1 before; "), "{printed}");
    assert_eq!(lines.last(), Some(&"0 pending of 2"), "{printed}");
}

/// The binary `ci-check`, built and run on a folder; its exit code, lines and problem.
fn ci_check(folder: Option<&Path>) -> (Option<i32>, String, String) {
    let mut command = command("ci-check");
    if let Some(folder) = folder {
        command.arg(folder);
    }
    let output = command.output().unwrap();
    let utf8 = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), utf8(output.stdout), utf8(output.stderr))
}

#[tokio::test]
async fn ci_check_creates_databases_on_the_given_server() {
    let database = FreshDatabase::create().await;
    let printed = output("ci-check", Some(&database));
    assert_eq!(printed.matches(" ... ok\n").count(), 4, "{printed}");
    let objects = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(value(&database.connect().await, objects).await, "0");
}

#[test]
fn ci_check_passes_a_good_folder() {
    let (code, lines, problem) = ci_check(None);
    assert_eq!(code, Some(0), "{lines}{problem}");
    let ended: Vec<&str> = lines.lines().filter_map(|line| line.split(" ... ").nth(1)).collect();
    assert_eq!(ended, ["ok"; 4], "{lines}");
}

#[test]
fn ci_check_stops_at_the_first_problem() {
    #[track_caller]
    fn check(files: &[(&str, &str)], ends: &[&str], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (code, lines, problem) = ci_check(Some(folder.path()));
        assert_eq!(code, Some(1), "{lines}{problem}");
        let ended: Vec<&str> =
            lines.lines().filter_map(|line| line.split(" ... ").nth(1)).collect();
        assert_eq!(ended, ends, "{lines}");
        assert!(problem.contains(expected), "{problem}");
    }
    check(
        &[("1_a.sql", "CREATE TABEL a (id int);\n")],
        &["FAILED"],
        "\n1 | CREATE TABEL a (id int);\n  |        ^^^^^ here\n",
    );
    check(
        &[("1_a.sql", "CREATE TABLE a (id int);\n"), ("2_b.sql", "SELECT 1 FROM b;\n")],
        &["FAILED"],
        "\n1 | SELECT 1 FROM b;\n  |               ^ not created by any migration before this one\n",
    );
    check(
        &[("1_a.sql", "CREATE TABLE a (id int);\n"), ("2_b.sql", "SELECT 1 / 0;\n")],
        &["ok", "FAILED"],
        "\n1 | SELECT 1 / 0;\n  | ^^^^^^^^^^^^ here\n",
    );
    check(
        &[
            ("1_a.up.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n"),
            ("1_a.down.sql", "DROP TABLE a;\n"),
        ],
        &["ok", "ok", "ok", "FAILED"],
        "its down script does not leave the catalogs as they were",
    );
}
