#!/bin/sh
# A session's advisory lock through PgBouncer in transaction mode (PgBouncer 1.18.0 of Debian 12, node-postgres
# 8.23.1; PostgreSQL 18.4).
#
# Guess: the lock does not hold through such a pooler, or it is released when the client that took it leaves.
# Seen: the lock belongs to the pool's server connection. A second client that is served by the same one is granted
# the lock as well: two replicas migrate at once and both believe that they hold it. After both have left, the
# lock is still held, so a client of another server connection is refused for as long as the pool lives.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
start_pgbouncer "pool_mode = transaction" "default_pool_size = 4"
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

async function connect(host, port) {
    const client = new Client({ host, port, database: "postgres", user: "postgres" });
    await client.connect();
    return client;
}

const pooled = () => connect(process.argv[2], 6432);
const take = async (client) => (await client.query("SELECT pg_try_advisory_lock(1) AS taken")).rows[0].taken;

(async () => {
    const direct = await connect(process.env.PGHOST, 5432);
    const held = async () => {
        const sql = "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND granted";
        return (await direct.query(sql)).rows[0].held;
    };
    const [first, second] = [await pooled(), await pooled()];
    console.log(await take(first), await take(second));
    await first.end();
    await second.end();
    console.log(await held());

    // Another server connection: the first one is kept busy by a transaction.
    const [busy, third] = [await pooled(), await pooled()];
    await busy.query("BEGIN");
    await busy.query("SELECT 1");
    console.log(await take(third));
    await busy.query("COMMIT");
    for (const client of [busy, third, direct]) await client.end();
})();
JS
node "$work/run.cjs" "$pooler" >"$work/seen"
expect "the lock, for one client and then the other" "true true" "$(sed -n 1p "$work/seen")"
expect "advisory locks held after both have left" 1 "$(sed -n 2p "$work/seen")"
expect "the lock, for a client of another server connection" false "$(sed -n 3p "$work/seen")"
as_stated "the lock admits two clients at once, and none after them"
