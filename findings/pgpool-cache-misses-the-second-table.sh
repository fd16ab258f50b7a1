#!/bin/sh
# The query cache of Pgpool-II and a message that writes two tables (Pgpool-II 4.3.5 of Debian 12 with
# memory_cache_enabled; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: a write through the pooler removes what its cache has of the tables that it writes.
# Seen: of a message with several statements only the first that writes counts. The cached rows of the second table
# are served to every client, also to new ones, until a later write of that table; with the default memqcache_expire =
# 0 they do not expire. After a migration of several statements in one message, as most tools send it, a service reads
# rows that it has changed. A DO block counts as no write at all. One statement for each message, and a WITH that
# writes both, remove both.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
start_pgpool "memory_cache_enabled = on"
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

async function connect(host, port) {
    const client = new Client({ host, port, database: "postgres", user: "postgres" });
    await client.connect();
    return client;
}

// What the two tables have, one query each.
async function read(client) {
    const seen = [];
    for (const table of ["a", "b"]) seen.push((await client.query(`SELECT n FROM ${table}`)).rows[0].n);
    return seen.join(" ");
}

(async () => {
    const [pooler, server] = process.argv.slice(2);
    const [client, direct] = [await connect(pooler, 9999), await connect(server, 5432)];
    await direct.query("CREATE TABLE a (n int); CREATE TABLE b (n int); INSERT INTO a VALUES (0); INSERT INTO b VALUES (0)");
    const round = async (...messages) => {
        for (const table of ["a", "b"]) await client.query(`UPDATE ${table} SET n = 0`);
        await read(client);
        for (const message of messages) await client.query(message);
        const other = await connect(pooler, 9999);
        console.log([await read(direct), await read(client), await read(other)].join(", "));
        await other.end();
    };
    const [first, second] = ["UPDATE a SET n = 1", "UPDATE b SET n = 1"];
    await round(first, second);
    await round(`WITH w AS (${first}) ${second}`);
    await round(`${first}; ${second}`);
    await round(`BEGIN; ${first}; ${second}; COMMIT`);
    await round("BEGIN", `${first}; ${second}`, "COMMIT");
    await round(`DO $$ BEGIN ${first}; ${second}; END $$`);
    await client.end();
    await direct.end();
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" "$home" >"$work/seen"
line() {
    sed -n "$1p" "$work/seen"
}
expect "rows in the server, for the writer and for another client, after two messages" "1 1, 1 1, 1 1" "$(line 1)"
expect "the same after one statement that writes both" "1 1, 1 1, 1 1" "$(line 2)"
expect "the same after two statements in one message" "1 1, 1 0, 1 0" "$(line 3)"
expect "the same with BEGIN and COMMIT in the message" "1 1, 1 0, 1 0" "$(line 4)"
expect "the same with BEGIN and COMMIT as messages" "1 1, 1 0, 1 0" "$(line 5)"
expect "the same after a DO block" "1 1, 0 0, 0 0" "$(line 6)"
as_stated "the cache keeps the rows of the second table that a message writes"
