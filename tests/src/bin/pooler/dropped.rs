//! Drops runs through the pooler at random points, and checks what they leave on its connections. Half of
//! them drop their client too, as a process that dies does; the other half continue with it.

use std::time::Duration;

use migrate_runtime::Migrator;
use migrate_tests::database::value;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::setup::{Setup, of};

const ROUNDS: u64 = 40;

/// Runs that are dropped at the same time, each at its own point.
const AT_A_TIME: usize = 3;

/// The longest time to a drop at first, in milliseconds: longer than a run of the set on an idle machine. It
/// doubles after a round in which no run ended before its drop, so that some points are after the end.
const LONGEST: u64 = 120;

/// A repeatable generator of random numbers (xorshift64, G. Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        for shift in [13_i32, -7, 17] {
            self.0 ^= if shift > 0 { self.0 << shift } else { self.0 >> -shift };
        }
        self.0 % limit
    }
}

/// A set with slow migrations, in the schema of the run.
fn slow_files() -> Vec<(String, String)> {
    let file = |n: u32| {
        let first = if n == 1 { "CREATE TABLE {{tables.runs}} (n int NOT NULL);\n" } else { "" };
        let sql = format!(
            "{first}SELECT pg_sleep(0.01);\nINSERT INTO {{{{tables.runs}}}} VALUES ({n});\n"
        );
        (format!("{n}_slow.sql"), sql)
    };
    (1..=6).map(file).collect()
}

/// Rounds of dropped runs, each completed by a run that is not dropped.
pub(crate) async fn futures(setup: &mut Setup, seed: u64) {
    let (database, direct) = setup.database().await;
    let set = of(&slow_files());
    let mut random = Random(seed);
    let (mut dropped, mut ended, mut longest) = (0, 0, LONGEST);
    for round in 0..ROUNDS {
        let schema = format!("round_{round}");
        let migrator = Migrator::new(&set).schema(&schema).create_schema();
        let mut runs = Vec::new();
        for _ in 0..AT_A_TIME {
            let limit = Duration::from_millis(random.below(longest));
            runs.push((setup.client(&database).await, limit));
        }
        let (mut first, mut second, mut third) = three(runs);
        let cut = |(client, limit)| timeout(limit, migrator.run(client));
        let outcomes = tokio::join!(
            cut((&mut first.0, first.1)),
            cut((&mut second.0, second.1)),
            cut((&mut third.0, third.1))
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2];
        for error in outcomes.iter().flatten().filter_map(|ended| ended.as_ref().err()) {
            setup.check(false, format!("a run that was not dropped, seed {seed}: {error}"));
        }
        let cut = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        (dropped, ended) = (dropped + cut, ended + AT_A_TIME - cut);
        longest *= if cut == AT_A_TIME { 2 } else { 1 };
        let clients = [first.0, second.0, third.0];
        if round % 2 == 0 {
            drop(clients);
        } else {
            usable(setup, &clients).await;
        }
        setup.check_quiet(&direct, &format!("after dropped runs, seed {seed}")).await;
        complete(setup, &database, &direct, &migrator, &schema).await;
    }
    println!("  dropped futures, seed {seed}: {dropped} dropped, {ended} ended before");
    setup.check(dropped > 0 && ended > 0, "the random points miss one of both sides");
}

fn three(
    runs: Vec<(Client, Duration)>,
) -> ((Client, Duration), (Client, Duration), (Client, Duration)) {
    let [first, second, third] = <[_; AT_A_TIME]>::try_from(runs).expect("three runs");
    (first, second, third)
}

/// A client whose run was dropped is outside a transaction.
async fn usable(setup: &mut Setup, clients: &[Client]) {
    for client in clients {
        // In a transaction that began earlier, the two would differ.
        let fresh = value(client, "SELECT now() = statement_timestamp()").await;
        setup.equal(&fresh, "t", "a client outside a transaction");
    }
}

/// The next run applies the rest, and every migration has run once.
async fn complete(
    setup: &mut Setup,
    database: &str,
    direct: &Client,
    migrator: &Migrator<'_>,
    schema: &str,
) {
    let mut client = setup.client(database).await;
    if let Err(error) = migrator.run(&mut client).await {
        setup.check(false, format!("the run after dropped ones fails: {error}"));
        return;
    }
    let sql = format!("SELECT concat_ws(' ', count(*), count(DISTINCT n)) FROM {schema}.runs");
    setup.equal(&value(direct, &sql).await, "6 6", "migrations that ran, after dropped runs");
    let sql =
        format!("SELECT string_agg(version, ' ' ORDER BY position) FROM {schema}.migration_ledger");
    setup.equal(&value(direct, &sql).await, "1 2 3 4 5 6", "entries after dropped runs");
}
