#!/bin/sh
# to_regclass() after a lock that another session held (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: at READ COMMITTED each statement sees what was committed before it began, so after an advisory lock was
# taken, to_regclass() finds the table that the lock's last holder created.
# Seen: it returns NULL. A session that has looked for the name before remembers that there is no such table, and
# learns of the new one when it begins a transaction or locks another table, not when it takes an advisory lock. A
# query of pg_class as the same statement sees the table. So "take the lock, and create the table if to_regclass() is
# NULL" finds the table missing, and creates it a second time or fails.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const [holder, waiting, watch] = [await connect(), await connect(), await connect()];
    const name = "SELECT to_regclass('public.t') IS NULL AS missing";
    const query = "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relname = 't') AS missing";
    const ask = async () => {
        await waiting.query("BEGIN");
        await waiting.query("SELECT pg_advisory_xact_lock(1)");
        const missing = async (sql) => (await waiting.query(sql)).rows[0].missing;
        const answers = [await missing(name), await missing(query)];
        await waiting.query("COMMIT");
        return answers.join(" ");
    };
    console.log(await ask());
    await holder.query("BEGIN");
    await holder.query("SELECT pg_advisory_xact_lock(1)");
    await holder.query("CREATE TABLE t ()");
    const asked = ask();
    const waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'";
    while ((await watch.query(waits)).rowCount === 0);
    await holder.query("COMMIT");
    console.log(await asked);
    await Promise.all([holder.end(), waiting.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "whether the table is missing by to_regclass() and by pg_class, before it is created" "true true" "$(sed -n 1p "$work/seen")"
expect "the same after its creator committed and released the lock" "true false" "$(sed -n 2p "$work/seen")"
as_stated "to_regclass() misses a table that was committed before its statement began"
