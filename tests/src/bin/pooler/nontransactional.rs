//! What becomes of a non-transactional migration behind a pooler.
//! In session mode it has to run; in transaction mode, where its session lock does not hold, it is
//! either observed or has to be refused before anything ran ([`Demand`]).

use std::collections::BTreeMap;

use migrate_runtime::Migrations;
use migrate_tests::database::{ADVISORY_LOCKS, value};
use migrate_tests::sets::set;

use crate::ground::{Ground, Outcome, kinds};

/// Fresh databases, each with one replica alone, then with several at a time.
const ROUNDS: usize = 8;
const REPLICAS: usize = 6;

/// What the library has to do in transaction mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing; what happens is printed.
    None,
    /// To refuse the set with an error that says `pooler`, before anything ran.
    Refusal,
}

fn migrations() -> Migrations {
    set(&[
        ("1_t.sql", "CREATE TABLE t (a int);\n"),
        (
            "2_index.sql",
            "-- migrate:no-transaction\n\
             INSERT INTO t VALUES (1);\n\
             CREATE INDEX CONCURRENTLY t_a ON t (a);\n",
        ),
    ])
}

/// Runs the set behind a transaction pooler, alone and with others, and judges or prints.
pub(crate) async fn in_transaction_mode(ground: &mut Ground, demand: Demand) {
    for replicas in [1, REPLICAS] {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let (database, direct) = ground.database().await;
            let outcomes = ground.replicas(replicas, &database, &migrations()).await;
            let rows = match value(&direct, "SELECT to_regclass('t')").await.as_str() {
                "t" => value(&direct, "SELECT count(*) FROM t").await,
                _ => "no table".to_owned(),
            };
            let locks = value(&direct, ADVISORY_LOCKS).await;
            let ledger = value(&direct, "SELECT to_regclass('migration_ledger')").await;
            if demand == Demand::Refusal {
                check_refusal(ground, &outcomes, &rows, &ledger, &locks);
            }
            for (kind, count) in kinds(&outcomes) {
                *seen.entry(kind).or_default() += count;
            }
            *seen.entry(format!("INSERT ran: {rows}; locks left: {locks}")).or_default() += 1;
        }
        println!(
            "  non-transactional, {ROUNDS} databases, {replicas} replicas each, {demand:?} demanded:"
        );
        for (what, count) in seen {
            println!("    {count:>3}  {what}");
        }
    }
}

/// Every replica says `pooler`, and there is neither a table, nor a ledger, nor a lock.
fn check_refusal(ground: &mut Ground, outcomes: &[Outcome], rows: &str, ledger: &str, locks: &str) {
    let says = |outcome: &Outcome| match outcome {
        Ok(_) => false,
        Err(error) => error.to_string().contains("pooler"),
    };
    ground.check(outcomes.iter().all(says), format!("not refused: {:?}", kinds(outcomes)));
    ground.equal(rows, "no table", "what a refused set leaves");
    ground.equal(ledger, "NULL", "the ledger of a refused set");
    ground.equal(locks, "0", "locks of a refused set");
}

/// In session mode a session lock holds, and each statement runs once.
pub(crate) async fn in_session_mode(ground: &mut Ground) {
    let (database, direct) = ground.database().await;
    let outcomes = ground.replicas(REPLICAS, &database, &migrations()).await;
    println!("  non-transactional, {REPLICAS} replicas: {:?}", kinds(&outcomes));
    let all = outcomes.iter().all(Result::is_ok);
    ground.check(all, format!("session pooling: {:?}", kinds(&outcomes)));
    if all {
        ground.equal(
            &value(&direct, "SELECT count(*) FROM t").await,
            "1",
            "INSERT, in session mode",
        );
    }
    let valid =
        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_a') AND indisvalid";
    ground.equal(&value(&direct, valid).await, "1", "valid indexes, in session mode");
    ground.check_quiet(&direct, "behind session pooling").await;
}
