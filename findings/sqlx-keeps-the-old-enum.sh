#!/bin/sh
# An enum that a migration replaces to remove a value, beside a service's pool (sqlx 0.9.0, tokio 1.54.1;
# PostgreSQL 18.4).
#
# Guess: after the usual four statements (rename the type, create it without the value, change the column, drop the old
# type) a program that never used the value goes on: its queries name no type, or name it as before.
# Seen: sqlx keeps the number of a type for as long as the connection lives. Each connection of the pool that has bound
# the enum before fails with each statement that binds it, also with another one, since no type has that number any
# more. The pool keeps the connection, because it answers its ping, until `max_lifetime`, half an hour. A new connection
# works, so neither a test nor a replica that boots after the migration sees it.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
rust_service <<'TOML'
sqlx = { version = "=0.9.0", default-features = false, features = ["derive", "macros", "postgres", "runtime-tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread"] }
TOML
cat >"$work/service/src/main.rs" <<'RUST'
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

#[derive(sqlx::Type)]
#[sqlx(type_name = "state", rename_all = "lowercase")]
enum State {
    Open,
}

async fn pool() -> Result<PgPool, sqlx::Error> {
    let server = PgConnectOptions::new().socket(std::env::var("PGHOST").unwrap()).username("postgres");
    PgPoolOptions::new().max_connections(1).connect_with(server.database("postgres")).await
}

/// The SQLSTATE of a statement that binds the enum.
async fn bind(pool: &PgPool, sql: &'static str) -> String {
    match sqlx::query(sql).bind(State::Open).execute(pool).await {
        Ok(_) => "none".to_owned(),
        Err(error) => match error.as_database_error().and_then(|error| error.code()) {
            Some(code) => code.into_owned(),
            None => error.to_string(),
        },
    }
}

const INSERT: &str = "INSERT INTO orders VALUES ($1)";
const MIGRATION: &str = "ALTER TYPE state RENAME TO state_old; CREATE TYPE state AS ENUM ('open'); \
    ALTER TABLE orders ALTER state TYPE state USING state::text::state; DROP TYPE state_old";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (service, migrating) = (pool().await?, pool().await?);
    sqlx::raw_sql("CREATE TYPE state AS ENUM ('open', 'unused'); CREATE TABLE orders (state state)").execute(&migrating).await?;
    println!("{}", bind(&service, INSERT).await);
    println!("{:?}", service.options().get_max_lifetime().unwrap_or_default());
    sqlx::raw_sql(MIGRATION).execute(&migrating).await?;
    for sql in [INSERT, INSERT, "SELECT FROM orders WHERE state = $1"] {
        println!("{}", bind(&service, sql).await);
    }
    println!("{}", bind(&pool().await?, INSERT).await);
    Ok(())
}
RUST
build_service
timeout 60 "$service" >"$work/seen"
expect "error of an INSERT that binds the enum" none "$(sed -n 1p "$work/seen")"
expect "longest life of a connection" 1800s "$(sed -n 2p "$work/seen")"
expect "errors of the same after the migration, once more, and of a SELECT" "XX000 XX000 XX000" "$(sed -n 3,5p "$work/seen" | xargs)"
expect "error in a new connection" none "$(sed -n 6p "$work/seen")"
as_stated "each open connection fails for as long as it lives"
