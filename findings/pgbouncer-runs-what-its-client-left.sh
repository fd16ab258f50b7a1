#!/bin/sh
# A message that waits behind PAUSE, whose client then closes its connection (PgBouncer 1.18.0 of Debian 12 with its
# default `pkt_buf`, 4096 bytes; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: what a paused pool holds back is dropped with the client that sent it, however long it is.
# Seen: a message of 100 bytes is dropped. One of 5,000 bytes runs and commits as soon as the pool resumes, although
# its client is gone. So a service that gives up on a paused pool and sends the statement again runs it twice.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
start_pgbouncer "pool_mode = transaction" "admin_users = postgres"
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

async function connect(host, port, database) {
    const client = new Client({ host, port, database, user: "postgres" });
    client.on("error", () => {});
    await client.connect();
    return client;
}

const pooled = (database) => connect(process.argv[2], 6432, database);

(async () => {
    const direct = await connect(process.env.PGHOST, 5432, "postgres");
    const console_ = await pooled("pgbouncer");
    await direct.query("CREATE TABLE ran (bytes int)");
    // The second client of each round shows when the pool works again.
    for (const bytes of [100, 5000]) {
        const [leaving, staying] = [await pooled("postgres"), await pooled("postgres")];
        await console_.query("PAUSE");
        const insert = `INSERT INTO ran VALUES (${bytes}) `;
        leaving.query(insert + "-".repeat(bytes - insert.length)).catch(() => {});
        const waits = async () => (await console_.query("SHOW POOLS")).rows[0].cl_waiting !== "0";
        while (!(await waits()));
        leaving.connection.stream.destroy();
        // A second for PgBouncer to see that the client is gone; then it lists the console and the one that stays.
        const clients = async () => (await console_.query("SHOW CLIENTS")).rowCount;
        for (let tries = 0; tries < 20 && (await clients()) > 2; tries++) await direct.query("SELECT pg_sleep(0.05)");
        await console_.query("RESUME");
        await staying.query("SELECT 1");
        await direct.query("SELECT pg_sleep(0.5)");
        console.log((await direct.query("SELECT count(*)::int AS ran FROM ran WHERE bytes = $1", [bytes])).rows[0].ran);
        await staying.end();
    }
    await Promise.all([direct.end(), console_.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" >"$work/seen"
expect "rows of a message of 100 bytes whose client is gone" 0 "$(sed -n 1p "$work/seen")"
expect "rows of a message of 5000 bytes whose client is gone" 1 "$(sed -n 2p "$work/seen")"
as_stated "a message longer than pkt_buf runs although its client is gone"
