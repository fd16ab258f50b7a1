//! Every kind of statement on distributed tables, each a migration, in a run, a trial and a rollback.

use migrate_runtime::{Migrator, Rollback};
use migrate_tests::database::value;
use migrate_tests::sets::set;
use tokio_postgres::Client;

use super::Verdicts;
use super::setup::{Nodes, entries, how_it_ended, migrate};

/// A statement a line.
const STATEMENTS: &str = include_str!("statements.sql");

pub async fn prove(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.alone("alone").await;
    matrix("statements, single node", &mut client, verdicts).await;
    let mut client = nodes.spread("matrix").await;
    matrix("statements, two workers", &mut client, verdicts).await;
    as_one(nodes, verdicts).await;
    tried(nodes, verdicts).await;
    undone(nodes, verdicts).await;
    placed(nodes, verdicts).await;
}

/// A migration for each statement.
async fn matrix(case: &str, client: &mut Client, verdicts: &mut Verdicts) {
    let names: Vec<String> =
        (1..=STATEMENTS.lines().count()).map(|n| format!("{n:03}_s.sql")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(STATEMENTS.lines()).collect();
    let set = set(&files);
    let result = migrate(&set, client).await;
    let (applied, all) = (entries(client).await, files.len());
    let ended = match &result {
        Ok(report) => format!("{} messages", report.messages),
        Err(_) => how_it_ended(&result),
    };
    let again = migrate(&set, client).await.map(|report| report.messages);
    let boots = matches!(again, Ok(1));
    let seen = format!("{applied} of {all} applied, {ended}; the next boot: {again:?}");
    verdicts.add(case, result.is_ok() && applied == all && boots, seen);
}

/// All statements that need no other mode as one migration, in a transaction.
async fn as_one(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("as_one").await;
    let sql = format!("SET LOCAL citus.multi_shard_modify_mode = 'sequential';\n{STATEMENTS}");
    let result = migrate(&set(&[("1_all.sql", &sql)]), &mut client).await;
    let seen = how_it_ended(&result);
    verdicts.add("the same as one migration", result.is_ok(), seen);
}

async fn tried(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("tried").await;
    let set = set(&[
        (
            "1_t.sql",
            "CREATE TABLE t (a int PRIMARY KEY, b int);\nSELECT create_distributed_table('t', 'a');",
        ),
        (
            "2_rows.sql",
            "INSERT INTO t SELECT n, n FROM generate_series(1, 50) n;\nUPDATE t SET b = 0;",
        ),
        ("3_not_null.sql", "ALTER TABLE t ALTER COLUMN b SET NOT NULL;"),
        ("4_index.sql", "CREATE INDEX t_b ON t (b);"),
    ]);
    let result = Migrator::new(&set).trial(&mut client).await;
    let left =
        value(&client, "SELECT count(*) FROM pg_class WHERE relname IN ('t', 'migration_ledger')")
            .await;
    let seen = match &result {
        Ok(_) => format!("4 migrations tried, {left} tables left"),
        Err(error) => error.to_string(),
    };
    verdicts.add("a trial with definitions after rows", result.is_ok() && left == "0", seen);
}

async fn undone(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("undone").await;
    let set = set(&[
        (
            "1_t.sql",
            "CREATE TABLE t (a int PRIMARY KEY, b int);\nSELECT create_distributed_table('t', 'a');",
        ),
        (
            "2_c.up.sql",
            "ALTER TABLE t ADD COLUMN c int DEFAULT 0;\nALTER TABLE t ALTER COLUMN c SET NOT NULL;",
        ),
        (
            "2_c.down.sql",
            "ALTER TABLE t ALTER COLUMN c DROP NOT NULL;\nALTER TABLE t DROP COLUMN c;",
        ),
    ]);
    let applied = migrate(&set, &mut client).await;
    let result = Migrator::new(&set).rollback(&mut client, Rollback::Steps(1)).await;
    let left = value(
        &client,
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c'",
    )
    .await;
    let seen =
        format!("{}; {}; {left} columns left", how_it_ended(&applied), how_it_ended(&result));
    verdicts.add(
        "a rollback of two statements",
        applied.is_ok() && result.is_ok() && left == "0",
        seen,
    );
}

/// A failure names its place, and leaves nothing of its migration.
async fn placed(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("placed").await;
    let set = set(&[
        (
            "1_t.sql",
            "CREATE TABLE t (a int PRIMARY KEY, b int);\nSELECT create_distributed_table('t', 'a');",
        ),
        (
            "2_c.sql",
            "ALTER TABLE t ADD COLUMN c int;\nALTER TABLE t\n  ALTER COLUMN nothing SET NOT NULL;",
        ),
    ]);
    let result = migrate(&set, &mut client).await;
    let left = value(
        &client,
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c'",
    )
    .await;
    let (seen, applied) = (how_it_ended(&result), entries(&client).await);
    let holds = seen.contains("2_c.sql:2:") && left == "0" && applied == 1;
    verdicts.add("the place of a failure", holds, seen);
}
