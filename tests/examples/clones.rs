//! What a test's database costs: applying 200 migrations, against a clone of a template; and what each
//! strategy of `CREATE DATABASE` costs where the server has a choice.
//! `cargo run --release -p migrate-tests --example clones -- [migrations] [rounds] [work]`, on `DATABASE_URL`
//! or the shared throwaway server; prints medians and bests in milliseconds. `work` is how many of those a
//! test takes between its database and its end; tests without a pause between them are measured too.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::{Migrations, Migrator};
use migrate_testing::{TestDatabase, TestError};
use migrate_tests::sets::tables;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let migrations = arguments.next().transpose()?.unwrap_or(200);
    let rounds = arguments.next().transpose()?.unwrap_or(15);
    let work = u64::try_from(arguments.next().transpose()?.unwrap_or(25))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set = tables(migrations);

    let mut applied = Vec::new();
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
    println!("connect and apply {migrations} migrations: {}", shown(&mut applied));
    println!("the first test, which may build the template: {}", millis(first));
    for work in [0, work] {
        println!("tests of {work} ms, one after the other:");
        let work = Duration::from_millis(work);
        tests(&set, &runtime, &mut applied, work)?;
    }
    for threads in [2, 8] {
        let began = Instant::now();
        thread::scope(|scope| -> Result<(), TestError> {
            let run = || (0..rounds).try_for_each(|_| TestDatabase::new(&set).map(drop));
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            running.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
        })?;
        let each = began.elapsed() / u32::try_from(threads * rounds)?;
        println!("{threads} threads of tests that only ask: {} a test", millis(each));
    }
    let keep = TestDatabase::new(&set)?;
    runtime.block_on(strategies(&keep, rounds))
}

/// As many tests as `applied` has times, which each make a database, connect, work and end.
fn tests(
    set: &Migrations,
    runtime: &Runtime,
    applied: &mut [Duration],
    work: Duration,
) -> Result<(), Box<dyn Error>> {
    let (mut made, mut cloned, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..applied.len() {
        let began = Instant::now();
        let database = TestDatabase::new(set)?;
        made.push(began.elapsed());
        let client = runtime.block_on(database.connect())?;
        cloned.push(began.elapsed());
        thread::sleep(work);
        drop(client);
        let began = Instant::now();
        drop(database);
        dropped.push(began.elapsed());
    }
    println!("  a clone: {}", shown(&mut made));
    println!("  with a connection to it: {}", shown(&mut cloned));
    println!("  dropping it: {}", shown(&mut dropped));
    applied.sort_unstable();
    let ratio = |rank: usize| applied[rank].as_secs_f64() / cloned[rank].as_secs_f64();
    let (half, best) = (ratio(applied.len() / 2), ratio(0));
    println!("  it costs 1/{half:.1} of applying; the best of each: 1/{best:.1}");
    Ok(())
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
