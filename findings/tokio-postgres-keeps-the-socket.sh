#!/bin/sh
# A COPY that the server refuses when it runs, and a client that is dropped (tokio-postgres 0.7.18, tokio 1.54.1;
# PostgreSQL 18.4).
#
# Guess: after an error of `copy_in` the connection goes on, as after that of any other statement. A client that is
# dropped closes its connection.
# Seen: a COPY that the server accepts when it is prepared and refuses when it runs, such as one in a read-only
# transaction, ends the connection: the server answers twice that it is ready, and the driver expects one answer. The
# next statement fails with "unexpected message from server" or "connection closed", all others with the latter. A
# client that is dropped while an answer is pending leaves its socket open until the server has answered: the
# statement goes on and commits, and its session keeps its locks meanwhile.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
rust_service <<'TOML'
bytes = "=1.12.1"
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "time"] }
tokio-postgres = "=0.7.18"
TOML
cat >"$work/service/src/main.rs" <<'RUST'
use std::time::Duration;

use bytes::Bytes;
use tokio_postgres::{Client, CopyInSink, Error, NoTls};

async fn connect() -> Client {
    let server = format!("host={} user=postgres dbname=postgres", std::env::var("PGHOST").unwrap());
    let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn copy_in_read_only(client: &Client) -> Result<(), Error> {
    client.batch_execute("BEGIN READ ONLY").await?;
    let sink: CopyInSink<Bytes> = client.copy_in("COPY t FROM STDIN").await?;
    std::pin::pin!(sink).finish().await.map(drop)
}

async fn of_the_other(watch: &Client, pid: i32, what: &str) -> Option<String> {
    let sql = format!("SELECT {what}::text FROM pg_stat_activity WHERE pid = {pid}");
    watch.query_opt(&sql, &[]).await.unwrap().map(|row| row.get(0))
}

#[tokio::main]
async fn main() {
    let (client, watch) = (connect().await, connect().await);
    watch.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    let error = copy_in_read_only(&client).await.unwrap_err();
    println!("{}", error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()));
    client.batch_execute("ROLLBACK").await.unwrap_err();
    println!("{}", client.batch_execute("SELECT 1").await.unwrap_err());

    let client = connect().await;
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let slow = async { client.batch_execute("INSERT INTO t SELECT 1 FROM pg_sleep(2)").await };
    let cut = tokio::time::timeout(Duration::from_millis(500), slow).await;
    assert!(cut.is_err());
    drop(client);
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("{}", of_the_other(&watch, pid, "state").await.unwrap_or_default());
    while of_the_other(&watch, pid, "pid").await.is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{}", watch.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get::<_, i64>(0));
}
RUST
build_service
timeout 60 "$service" >"$work/seen"
expect "error of a COPY in a read-only transaction" 25006 "$(sed -n 1p "$work/seen")"
expect "error of the second statement after it" "connection closed" "$(sed -n 2p "$work/seen")"
expect "state of the session half a second after its client was dropped" active "$(sed -n 3p "$work/seen")"
expect "rows that its statement committed" 1 "$(sed -n 4p "$work/seen")"
as_stated "a refused COPY ends the connection, and a dropped client leaves it open"
