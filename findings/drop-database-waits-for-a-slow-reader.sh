#!/bin/sh
# DROP DATABASE beside a client of another database that does not read its answer (PostgreSQL 14.23 and 18.4;
# node-postgres 8.23.1).
#
# Guess: DROP DATABASE concerns the sessions of the database that it drops, and fails at once if there are any.
# Seen: since PostgreSQL 15 it also waits, without a limit of its own, until every process of the server has closed
# its files (wait event ProcSignalBarrier). A process that sends to a client which reads nothing does not do that, so
# one stopped client keeps each DROP DATABASE of the server waiting. If a timeout ends the wait, the database is left
# invalid, and can only be dropped. CREATE DATABASE does not wait. PostgreSQL 14 drops the database at once.
set -eu
. "$(dirname "$0")/lib/setup.sh"

install_client
cat >"$work/run.cjs" <<'JS'
const { fork } = require("child_process");
const { code, connect } = require("./client.cjs");

// The client that will read nothing: this program, stopped while it waits for the first row.
async function read() {
    const client = await connect();
    process.send(client.processID);
    await client.query("SELECT repeat('x', 1000) FROM pg_sleep(1), generate_series(1, 100000)");
}

async function main() {
    const [client, watch] = [await connect(), await connect()];
    for (const name of ["one", "two"]) await client.query(`CREATE DATABASE ${name}`);
    const reader = fork(__filename, ["read"]);
    const pid = await new Promise((resolve) => reader.once("message", resolve));
    const event = async (pid) =>
        (await watch.query("SELECT wait_event FROM pg_stat_activity WHERE pid = $1", [pid])).rows[0].wait_event;
    const until = async (wanted) => {
        for (let tries = 0; tries < 200 && (await event(pid)) !== wanted; tries++) await watch.query("SELECT pg_sleep(0.05)");
    };
    await until("PgSleep");
    reader.kill("SIGSTOP");
    await until("ClientWrite");
    console.log(await event(pid));
    await client.query("SET statement_timeout = '3s'");
    const dropped = code(client.query("DROP DATABASE one"));
    await watch.query("SELECT pg_sleep(1)");
    console.log(await event(client.processID));
    console.log(await dropped);
    const left = await watch.query("SELECT datconnlimit FROM pg_database WHERE datname = 'one'");
    console.log(left.rows.map((row) => row.datconnlimit).join());
    console.log(await code(client.query("CREATE DATABASE three TEMPLATE template0 " + process.argv[2])));
    reader.kill("SIGKILL");
    console.log(await code(client.query("DROP DATABASE two")));
    await Promise.all([client.end(), watch.end()]);
}

process.argv[2] === "read" ? read() : main();
JS
start_server "$("$root/scripts/get-postgres.sh" 14 | tail -n 1)" 14.23
timeout 60 node "$work/run.cjs" "" >"$work/seen"
expect "14: what the stopped client's process waits for" ClientWrite "$(sed -n 1p "$work/seen")"
expect "14: error of DROP DATABASE of another database" none "$(sed -n 3p "$work/seen")"
server_18
timeout 60 node "$work/run.cjs" "STRATEGY file_copy" >"$work/seen"
expect "18: what the stopped client's process waits for" ClientWrite "$(sed -n 1p "$work/seen")"
expect "18: what DROP DATABASE of another database waits for" ProcSignalBarrier "$(sed -n 2p "$work/seen")"
expect "18: its error with a statement_timeout" 57014 "$(sed -n 3p "$work/seen")"
expect "18: connection limit of the database, -2 for an invalid one" -2 "$(sed -n 4p "$work/seen")"
expect "18: error of CREATE DATABASE by file_copy" none "$(sed -n 5p "$work/seen")"
expect "18: error of the next DROP DATABASE, after the client was killed" none "$(sed -n 6p "$work/seen")"
as_stated "one client that does not read keeps DROP DATABASE waiting"
