#!/bin/sh
# ALTER TYPE .. ADD VALUE beside a service that derives its enum (tokio-postgres 0.7.18, postgres-types 0.2.14, tokio
# 1.54.1; PostgreSQL 18.4).
#
# Guess: a value that no row has yet changes nothing for a program that does not know it; it fails when it reads the
# first row with that value.
# Seen: the derived ToSql and FromSql compare all values of the type with those of the Rust enum. Each connection that
# begins after the migration refuses to read or bind the enum at all, also a row with an old value. The connections
# that have used it before go on, because they keep what they know of the type. So the migration seems to do no harm
# until the pool replaces a connection, or a replica with the old program starts. `#[postgres(allow_mismatch)]` on the
# enum turns the comparison off.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
rust_service <<'TOML'
postgres-types = { version = "=0.2.14", features = ["derive"] }
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread"] }
tokio-postgres = "=0.7.18"
TOML
cat >"$work/service/src/main.rs" <<'RUST'
use std::error::Error;

use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, Config, NoTls};

#[derive(Debug, FromSql, ToSql)]
#[postgres(name = "state", rename_all = "lowercase")]
enum State {
    Open,
    Paid,
}

#[derive(Debug, FromSql, ToSql)]
#[postgres(name = "state", rename_all = "lowercase", allow_mismatch)]
enum Lenient {
    Open,
    Paid,
}

async fn connect() -> Result<Client, tokio_postgres::Error> {
    let mut server = Config::new();
    server.host(std::env::var("PGHOST").unwrap()).user("postgres").dbname("postgres");
    let (client, connection) = server.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn outcome<T>(result: Result<T, tokio_postgres::Error>) -> String {
    match result {
        Ok(_) => "none".to_owned(),
        Err(error) => error.source().map_or_else(|| error.to_string(), ToString::to_string),
    }
}

/// The errors of binding an old value, and of reading one.
async fn use_enum<T: ToSql + Sync + for<'a> FromSql<'a>>(client: &Client, value: T) {
    println!("{}", outcome(client.execute("INSERT INTO orders VALUES ($1)", &[&value]).await));
    let row = client.query_one("SELECT state FROM orders LIMIT 1", &[]).await;
    println!("{}", outcome(row.and_then(|row| row.try_get::<_, T>(0))));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (service, migrating) = (connect().await?, connect().await?);
    migrating.batch_execute("CREATE TYPE state AS ENUM ('open', 'paid'); CREATE TABLE orders (state state)").await?;
    use_enum(&service, State::Open).await;
    migrating.batch_execute("ALTER TYPE state ADD VALUE 'refunded'").await?;
    use_enum(&service, State::Paid).await;
    use_enum(&connect().await?, State::Open).await;
    use_enum(&connect().await?, Lenient::Open).await;
    let _ = Lenient::Paid;
    Ok(())
}
RUST
build_service
timeout 60 "$service" >"$work/seen"
expect "errors of binding and reading an enum" "none none" "$(sed -n 1,2p "$work/seen" | xargs)"
expect "the same after ADD VALUE" "none none" "$(sed -n 3,4p "$work/seen" | xargs)"
refused='cannot convert between the Rust type `service::State` and the Postgres type `state`'
expect "error of binding an old value in a new connection" "$refused" "$(sed -n 5p "$work/seen")"
expect "error of reading an old value there" "$refused" "$(sed -n 6p "$work/seen")"
expect "errors there with allow_mismatch" "none none" "$(sed -n 7,8p "$work/seen" | xargs)"
as_stated "after ADD VALUE a new connection refuses the enum, also its old values"
