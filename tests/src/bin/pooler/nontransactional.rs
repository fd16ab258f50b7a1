//! A non-transactional migration through a pooler: in either mode it has to be refused before anything
//! runs, unless the caller declares, in session mode, that the session is the client's own.

use migrate_runtime::report::LockKind;
use migrate_runtime::{ErrorKind, Lock, Migrations};
use migrate_tests::database::{ADVISORY_LOCKS, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

use crate::setup::{Outcome, Rules, Setup, kinds, together};

/// New databases, each with one replica alone, then with several at the same time.
const ROUNDS: usize = 4;
pub(crate) const REPLICAS: usize = 6;

pub(crate) fn migrations() -> Migrations {
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

/// Runs the set through a transaction pooler, alone and with others.
pub(crate) async fn in_transaction_mode(setup: &mut Setup) {
    for replicas in [1, REPLICAS] {
        for _ in 0..ROUNDS {
            let (database, direct) = setup.database().await;
            let outcomes = setup.replicas(replicas, &database, &migrations()).await;
            refused(setup, &outcomes, &direct, LockKind::Advisory).await;
        }
        println!("  non-transactional, {ROUNDS} databases, {replicas} replicas each: refused");
    }
}

/// Every replica reports the refusal, and there is no table, no ledger and no lock.
pub(crate) async fn refused(
    rules: &mut Rules,
    outcomes: &[Outcome],
    direct: &Client,
    kind: LockKind,
) {
    let says = |outcome: &Outcome| {
        outcome.as_ref().is_err_and(|error| {
            matches!(error.kind(), ErrorKind::Pooled { lock, .. } if *lock == kind)
                && error.to_string().contains("pooler")
        })
    };
    rules.check(outcomes.iter().all(says), format!("not refused: {:?}", kinds(outcomes)));
    let left = "SELECT concat_ws(' ', to_regclass('t'), to_regclass('migration_ledger'))";
    rules.equal(&value(direct, left).await, "", "what a refused set leaves");
    rules.equal(&value(direct, ADVISORY_LOCKS).await, "0", "locks of a refused set");
}

/// All started, each migration was applied by one of them, each statement ran once, and no lock is left.
pub(crate) async fn once(rules: &mut Rules, outcomes: &[Outcome], direct: &Client, when: &str) {
    let applied = |outcome: &Outcome| outcome.as_ref().map_or(0, |report| report.applied.len());
    rules.check(outcomes.iter().all(Result::is_ok), format!("{when}: {:?}", kinds(outcomes)));
    let sum: usize = outcomes.iter().map(applied).sum();
    rules.equal(&sum.to_string(), "2", &format!("migrations that reports name, {when}"));
    if value(direct, "SELECT to_regclass('t')").await == "NULL" {
        rules.check(false, format!("no table, {when}"));
        return;
    }
    let rows = value(direct, "SELECT count(*) FROM t").await;
    rules.equal(&rows, "1", &format!("INSERT ran, {when}"));
    let valid = "SELECT string_agg(relname || ' ' || indisvalid, ' ') FROM pg_index \
                 JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 't'::regclass";
    rules.equal(&value(direct, valid).await, "t_a true", &format!("indexes, {when}"));
    let entries = "SELECT concat_ws(' ', count(*) FILTER (WHERE ended_position = 0 AND progress IS NULL), \
                   count(*) FILTER (WHERE module = '')) FROM migration_ledger";
    rules.equal(&value(direct, entries).await, "2 0", &format!("entries and lock rows, {when}"));
    rules.check_quiet(direct, when).await;
}

/// In session mode a session lock works, once the library is configured for it.
pub(crate) async fn in_session_mode(setup: &mut Setup) {
    let (database, direct) = setup.database().await;
    let outcomes = setup.replicas(REPLICAS, &database, &migrations()).await;
    refused(setup, &outcomes, &direct, LockKind::Advisory).await;
    let mut clients = Vec::new();
    for _ in 0..REPLICAS {
        clients.push((setup.client(&database).await, Lock::Advisory));
    }
    let outcomes = together(clients, &migrations()).await;
    println!("  non-transactional, advisory lock, {REPLICAS} replicas: {:?}", kinds(&outcomes));
    once(setup, &outcomes, &direct, "in session mode").await;
}
