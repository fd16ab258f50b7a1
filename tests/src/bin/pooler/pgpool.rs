//! Replicas through Pgpool-II, which sends single reads to a standby that does not replay any more, or answers
//! them from its cache.

use migrate_runtime::report::LockKind;
use migrate_runtime::{Lock, Migrator, Report};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{connect, value};
use migrate_tests::pooler::{Cache, Pooler};
use tokio_postgres::Client;

use crate::nontransactional::{migrations, once, refused};
use crate::setup::{Rules, counting, kinds, of, together};

const REPLICAS: usize = 8;
const MIGRATIONS: usize = 20;

/// All checks, with and without the cache; returns how many rules were broken.
pub(crate) async fn all() -> Result<usize, String> {
    let mut rules = Rules::default();
    for cache in [Cache::Off, Cache::On] {
        let mut primary = Cluster::create();
        let mut standby = primary.standby();
        primary.start();
        standby.start();
        let direct = connect(&primary.config("postgres")).await;
        let behind = connect(&standby.config("postgres")).await;
        value(&behind, "SELECT pg_wal_replay_pause()").await;
        let configs = [&primary.config("postgres"), &standby.config("postgres")];
        let pgpool = Pooler::start_pgpool(configs, cache).await?;
        println!("Pgpool-II, reads from a lagging standby, cache {cache:?}");
        boots(&mut rules, &pgpool, &direct).await;
        outside(&mut rules, &pgpool, &direct).await;
    }
    Ok(rules.broken())
}

/// Clients through the pooler, with this lock.
async fn clients(pgpool: &Pooler, count: usize, lock: Lock) -> Vec<(Client, Lock)> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push((pgpool.connect("postgres").await.expect("a client"), lock));
    }
    clients
}

/// All replicas start, each migration runs once, and what only reads reports that.
async fn boots(rules: &mut Rules, pgpool: &Pooler, direct: &Client) {
    let set = of(&counting(MIGRATIONS));
    let first = together(clients(pgpool, REPLICAS, Lock::Detect).await, &set).await;
    println!("  {REPLICAS} replicas, {MIGRATIONS} migrations: {:?}", kinds(&first));
    rules.check(first.iter().all(Result::is_ok), format!("{:?}", kinds(&first)));
    let ran = value(direct, "SELECT concat_ws(' ', count(*), count(DISTINCT n)) FROM runs").await;
    rules.equal(&ran, &format!("{MIGRATIONS} {MIGRATIONS}"), "migrations that ran");
    let again = together(clients(pgpool, REPLICAS, Lock::Detect).await, &set).await;
    let is_idle = |report: &Report| report.applied.is_empty() && report.messages == 1;
    let idle = again.iter().flatten().filter(|report| is_idle(report)).count();
    rules.equal(&idle.to_string(), &REPLICAS.to_string(), "up to date in one message");

    let reader = pgpool.connect("postgres").await.expect("a client");
    let migrator = Migrator::new(&set);
    for round in ["as it was first read", "as it was read again"] {
        let pending = migrator.status(&reader).await.map(|status| status.pending());
        rules.check(matches!(pending, Ok(0)), format!("status, {round}: {pending:?}"));
        let verified = migrator.verify(&reader).await;
        rules.check(verified.is_ok(), format!("verify, {round}: {verified:?}"));
    }
    println!("  `status` and `verify` read the primary");
    direct.batch_execute("DROP TABLE migration_ledger").await.expect("a table");
    rules.check_quiet(direct, "after the boots through Pgpool-II").await;
}

/// A migration outside a transaction is refused, unless the caller declares that the session is the client's
/// own, which it is.
async fn outside(rules: &mut Rules, pgpool: &Pooler, direct: &Client) {
    let replicas = clients(pgpool, REPLICAS, Lock::Detect).await;
    let outcomes = together(replicas, &migrations()).await;
    println!("  non-transactional: {:?}", kinds(&outcomes));
    refused(rules, &outcomes, direct, LockKind::Advisory).await;
    for lock in [Lock::Advisory, Lock::Row] {
        let outcomes = together(clients(pgpool, REPLICAS, lock).await, &migrations()).await;
        println!("  non-transactional, {lock:?}: {:?}", kinds(&outcomes));
        once(rules, &outcomes, direct, &format!("through Pgpool-II, {lock:?}")).await;
        direct.batch_execute("DROP TABLE migration_ledger, t").await.expect("tables");
    }
}
