#!/bin/sh
# A file with BEGIN and COMMIT that fails in between, run from a service's pool (deadpool-postgres 0.14.2, bb8-postgres
# 0.9.0, bb8 0.9.1, tokio-postgres 0.7.18, tokio 1.54.1; PostgreSQL 18.4).
#
# Guess: a pool that tests each connection before it hands it out, as bb8 does and deadpool's
# RecyclingMethod::Verified, does not hand out one on which every statement fails.
# Seen: both test with an empty query, which is the one that succeeds in a transaction that has failed. So each request
# that gets this connection fails with 25P02, also one that begins a transaction, for bb8's max_lifetime, half an hour,
# and without a limit for deadpool, whose default is no test at all. Only RecyclingMethod::Clean drops the connection,
# because its statements fail. A file without a COMMIT of its own is undone by the server and leaves nothing behind.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
rust_service <<'TOML'
bb8 = "=0.9.1"
bb8-postgres = "=0.9.0"
deadpool-postgres = "=0.14.2"
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread"] }
tokio-postgres = "=0.7.18"
TOML
cat >"$work/service/src/main.rs" <<'RUST'
use bb8_postgres::PostgresConnectionManager;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::{Config, Error, NoTls};

const FILE: &str = "BEGIN; CREATE TABLE a (); CREATE TABLE a (); COMMIT";

fn config() -> Config {
    let mut config = Config::new();
    config.host_path(std::env::var("PGHOST").unwrap()).user("postgres").dbname("postgres");
    config
}

fn code(result: Result<(), Error>) -> String {
    result.map_or_else(|error| error.code().unwrap().code().to_owned(), |()| "none".to_owned())
}

macro_rules! show {
    ($pool:expr, $file:expr) => {
        let migrated = code($pool.get().await.unwrap().batch_execute($file).await);
        let served = code($pool.get().await.unwrap().batch_execute("SELECT 1").await);
        let again = code($pool.get().await.unwrap().transaction().await.map(drop));
        println!("{migrated} {served} {again}");
    };
}

#[tokio::main]
async fn main() {
    for recycling_method in [RecyclingMethod::Fast, RecyclingMethod::Verified, RecyclingMethod::Clean] {
        let manager = Manager::from_config(config(), NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager).max_size(1).build().unwrap();
        show!(pool, FILE);
    }
    let manager = PostgresConnectionManager::new(config(), NoTls);
    let pool = bb8::Pool::builder().max_size(1).build(manager).await.unwrap();
    show!(pool, FILE);
    let manager = PostgresConnectionManager::new(config(), NoTls);
    let pool = bb8::Pool::builder().max_size(1).build(manager).await.unwrap();
    show!(pool, "CREATE TABLE a (); CREATE TABLE a ()");
}
RUST
build_service
timeout 60 "$service" >"$work/seen"
what="errors of the file, of the next request, and of one that begins a transaction"
expect "$what, with RecyclingMethod::Fast" "42P07 25P02 25P02" "$(sed -n 1p "$work/seen")"
expect "the same with RecyclingMethod::Verified" "42P07 25P02 25P02" "$(sed -n 2p "$work/seen")"
expect "the same with RecyclingMethod::Clean" "42P07 none none" "$(sed -n 3p "$work/seen")"
expect "the same with bb8" "42P07 25P02 25P02" "$(sed -n 4p "$work/seen")"
expect "the same with bb8, of a file without BEGIN and COMMIT" "42P07 none none" "$(sed -n 5p "$work/seen")"
as_stated "both pools hand out a connection on which every statement fails"
