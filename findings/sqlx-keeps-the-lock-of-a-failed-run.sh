#!/bin/sh
# A migration that fails, run from a pool (sqlx 0.9.0, tokio 1.54.1; PostgreSQL 18.4).
#
# Guess: the error names the line of the file, and a run that has ended holds no lock.
# Seen: "at line N" is a line of the server's own source, far beyond the end of a file of one line. The session
# keeps the advisory lock and goes back to the pool with it, so other replicas wait although no run is going on.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
rust_service <<'TOML'
sqlx = { version = "=0.9.0", default-features = false, features = ["migrate", "postgres", "runtime-tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "time"] }
TOML
mkdir "$work/service/migrations"
echo 'SELECT 1 FROM nowhere;' >"$work/service/migrations/0001_fails.sql"
cat >"$work/service/src/main.rs" <<'RUST'
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

async fn pool() -> Result<PgPool, sqlx::Error> {
    let server = PgConnectOptions::new().socket(std::env::var("PGHOST").unwrap()).username("postgres");
    PgPoolOptions::new().connect_with(server.database("postgres")).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let migrator = Migrator::new(Path::new("migrations")).await?;
    let (one, other) = (pool().await?, pool().await?);
    println!("{}", migrator.run(&one).await.unwrap_err());
    // The failed transaction is rolled back on the connection's way to the pool.
    let returned = async {
        while one.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), returned).await?;
    let held = "SELECT state FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND granted";
    println!("{}", sqlx::query_scalar::<_, String>(held).fetch_all(&other).await?.join(","));
    Ok(())
}
RUST
build_service
(cd "$work/service" && "$service") >"$work/seen"
error='while executing migration 1: error returned from database: relation "nowhere" does not exist at line '
number=$(sed -n 1p "$work/seen" | sed 's/.* //')
expect "error" "$error$number" "$(sed -n 1p "$work/seen")"
[ "$number" -gt 1 ] || changed "the error names line $number of a file of one line"
expect "state of the session that holds the lock" idle "$(sed -n 2p "$work/seen")"
as_stated "a failed run names a line that the file does not have, and keeps its lock"
