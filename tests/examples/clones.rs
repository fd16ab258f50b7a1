//! What a test's database costs: applying 200 migrations, against a clone of a template; and what each
//! strategy of `CREATE DATABASE` costs where the server has a choice.
//! `cargo run --release -p migrate-tests --example clones -- [migrations] [rounds]`, on `DATABASE_URL` or
//! the shared throwaway server; prints medians and bests in milliseconds.

use std::error::Error;
use std::time::{Duration, Instant};

use migrate_runtime::Migrator;
use migrate_runtime::testing::TestDatabase;
use migrate_tests::sets::tables;
use tokio_postgres::{Client, NoTls};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let migrations = arguments.next().transpose()?.unwrap_or(200);
    let rounds = arguments.next().transpose()?.unwrap_or(15);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set = tables(migrations);

    let mut applied = Vec::new();
    let mut dropped = Vec::new();
    for _ in 0..rounds {
        let database = TestDatabase::empty()?;
        let began = Instant::now();
        let run = async {
            let mut client = database.connect().await?;
            Migrator::new(&set).run(&mut client).await?;
            Ok::<(), Box<dyn Error>>(())
        };
        runtime.block_on(run)?;
        applied.push(began.elapsed());
    }
    let first = Instant::now();
    drop(TestDatabase::new(&set)?);
    let first = first.elapsed();
    let mut cloned = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let database = TestDatabase::new(&set)?;
        cloned.push(began.elapsed());
        let began = Instant::now();
        drop(database);
        dropped.push(began.elapsed());
    }
    println!("connect and apply {migrations} migrations: {}", shown(&mut applied));
    println!("the first test, which may build the template: {}", millis(first));
    println!("a clone, with its connection: {}", shown(&mut cloned));
    println!("dropping it: {}", shown(&mut dropped));
    // Both are sorted by now.
    let ratio = |rank: usize| applied[rank].as_secs_f64() / cloned[rank].as_secs_f64();
    let (half, best) = (ratio(rounds / 2), ratio(0));
    println!("a clone costs 1/{half:.1} of applying; the best of each: 1/{best:.1}");
    let keep = TestDatabase::new(&set)?;
    runtime.block_on(strategies(&keep, rounds))
}

/// Clones the largest template, which is this database's, by each strategy.
async fn strategies(database: &TestDatabase, rounds: usize) -> Result<(), Box<dyn Error>> {
    let (client, connection) = tokio_postgres::connect(database.server().url(), NoTls).await?;
    tokio::spawn(connection);
    let sql = "SELECT current_setting('server_version'), current_setting('fsync'), \
               (SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_template%' \
                ORDER BY pg_database_size(oid) DESC LIMIT 1)";
    let row = client.query_one(sql, &[]).await?;
    let (version, fsync, template): (String, String, String) = (row.get(0), row.get(1), row.get(2));
    println!("PostgreSQL {version}, fsync {fsync}");
    for strategy in ["", "STRATEGY WAL_LOG", "STRATEGY FILE_COPY"] {
        let name = if strategy.is_empty() { "no strategy named" } else { strategy };
        match cloning(&client, &template, strategy, rounds).await {
            Ok(mut times) => println!("CREATE DATABASE, {name}: {}", shown(&mut times)),
            Err(error) => println!("CREATE DATABASE, {name}: {error}"),
        }
    }
    Ok(())
}

async fn cloning(
    client: &Client,
    template: &str,
    strategy: &str,
    rounds: usize,
) -> Result<Vec<Duration>, tokio_postgres::Error> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let name = format!("migrate_clones_{}_{round}", std::process::id());
        let began = Instant::now();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}");
        client.batch_execute(&sql).await?;
        times.push(began.elapsed());
        client.batch_execute(&format!("DROP DATABASE {name}")).await?;
    }
    Ok(times)
}

/// The median and the best; sorts the times.
fn shown(times: &mut [Duration]) -> String {
    times.sort_unstable();
    format!("{} (best {})", millis(times[times.len() / 2]), millis(times[0]))
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
