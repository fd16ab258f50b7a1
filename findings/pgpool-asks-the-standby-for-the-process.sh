#!/bin/sh
# The process number of a session through Pgpool-II with a standby (Pgpool-II 4.3.5 of Debian 12, streaming
# replication with load balancing; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: pg_backend_pid() is the process that runs the statements of the session, since it is volatile and each
# server has another one.
# Seen: it is sent to the standby, as a read. The process number at the start of the connection is that of the
# standby too, so a client that compares the two to recognise a pooler finds them equal, and looks in vain for its
# session in pg_stat_activity of the primary, where its writes and its locks are. Beside another statement, or inside
# a transaction that has written, the same function is sent to the primary.
set -eu
. "$(dirname "$0")/lib/setup.sh"

start_pgpool_with_standby
npm_install pg@8.23.1
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

async function connect(host, port) {
    const client = new Client({ host, port, database: "postgres", user: "postgres" });
    await client.connect();
    return client;
}

(async () => {
    const [pooler, primary, standby] = process.argv.slice(2);
    const direct = { primary: await connect(primary, 5432), standby: await connect(standby, 5432) };
    const where = async (pid) => {
        for (const [name, server] of Object.entries(direct)) {
            const found = await server.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [pid]);
            if (found.rowCount === 1) return name;
        }
    };
    const client = await connect(pooler, 9999);
    const asked = (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
    console.log(await where(client.processID), await where(asked), asked === client.processID);
    const beside = (await client.query("SELECT pg_backend_pid() AS pid; SELECT 1"))[0].rows[0].pid;
    console.log(await where(beside));
    await client.query("CREATE TABLE t (a int)");
    await client.query("BEGIN");
    await client.query("INSERT INTO t VALUES (1)");
    console.log(await where((await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid));
    await client.query("COMMIT");
    await client.end();
    for (const server of Object.values(direct)) await server.end();
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" "$home" "$standby" >"$work/seen"
expect "server of the process at the start, of pg_backend_pid(), and whether they are equal" "standby standby true" "$(sed -n 1p "$work/seen")"
expect "server of pg_backend_pid() beside another statement" primary "$(sed -n 2p "$work/seen")"
expect "server of pg_backend_pid() after a write in the transaction" primary "$(sed -n 3p "$work/seen")"
as_stated "pg_backend_pid() names a process of the standby"
