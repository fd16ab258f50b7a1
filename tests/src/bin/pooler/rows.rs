//! The lock that is a row of the ledger, through a pooler in transaction mode. Replicas boot on several
//! databases at the same time, all through the pooler, or every other one directly and with the other
//! kind of lock; a migration that relies on session settings has to be refused.

use migrate_runtime::Lock;
use migrate_runtime::report::LockKind;
use migrate_tests::sets::set;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::nontransactional::{REPLICAS, migrations, once, refused};
use crate::setup::{Outcome, Setup, kinds, together};

/// Databases that replicas boot on at the same time.
const DATABASES: usize = 8;

/// How the replicas of one database connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    /// All through the pooler, with the row.
    Pooled,
    /// Every other one directly to the server, with the library's default lock.
    Half,
}

/// Every check of the row.
pub(crate) async fn in_transaction_mode(setup: &mut Setup) {
    boots(setup, Crowd::Pooled).await;
    boots(setup, Crowd::Half).await;
    settings(setup).await;
}

/// Boots on all databases at the same time.
async fn boots(setup: &mut Setup, crowd: Crowd) {
    let mut booting = JoinSet::new();
    for _ in 0..DATABASES {
        let (database, direct) = setup.database().await;
        let clients = clients(setup, crowd, &database).await;
        booting.spawn(async move { (together(clients, &migrations()).await, direct) });
    }
    let mut all: Vec<Outcome> = Vec::new();
    while let Some(booted) = booting.join_next().await {
        let (outcomes, direct) = booted.expect("a boot");
        once(setup, &outcomes, &direct, &format!("with the row, {crowd:?}")).await;
        all.extend(outcomes);
    }
    println!(
        "  the row, {DATABASES} databases, {REPLICAS} replicas each, {crowd:?}: {:?}",
        kinds(&all)
    );
    let by_row = |outcome: &&Outcome| outcome.as_ref().is_ok_and(|r| r.lock == LockKind::Row);
    let expected = DATABASES * if crowd == Crowd::Half { REPLICAS / 2 } else { REPLICAS };
    let found = all.iter().filter(by_row).count();
    setup.equal(&found.to_string(), &expected.to_string(), "reports that name the row");
}

async fn clients(setup: &Setup, crowd: Crowd, database: &str) -> Vec<(Client, Lock)> {
    let mut clients = Vec::new();
    for index in 0..REPLICAS {
        clients.push(if crowd == Crowd::Half && index % 2 == 0 {
            (setup.direct(database).await, Lock::Detect)
        } else {
            (setup.client(database).await, Lock::Row)
        });
    }
    clients
}

/// A file with statements that rely on its own session settings.
async fn settings(setup: &mut Setup) {
    let set = set(&[
        ("1_t.sql", "CREATE TABLE t (a int);\n"),
        ("2_set.sql", "-- migrate:no-transaction\nSET work_mem = '9MB';\nVACUUM t;\n"),
    ]);
    let (database, direct) = setup.database().await;
    let clients = clients(setup, Crowd::Pooled, &database).await;
    let outcomes = together(clients, &set).await;
    println!("  the row, a file with settings: {:?}", kinds(&outcomes));
    refused(setup, &outcomes, &direct, LockKind::Row).await;
}
