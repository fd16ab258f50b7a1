#!/bin/sh
# Two clients of one PGlite server (@electric-sql/pglite 0.5.17, pglite-socket 0.2.17, node-postgres 8.23.1).
#
# Guess: each connection is a session, as on PostgreSQL, and a database that was never created cannot be reached.
# Seen: all connections are one session. An advisory lock that one client holds is granted to the other, a setting
# of one is that of both, and every database name leads to the same tables, also after CREATE DATABASE, which
# succeeds. A test of two replicas passes there although both hold the lock, and tests that create a database each
# share one.
set -eu
. "$(dirname "$0")/lib/setup.sh"

# The packages of its extensions, which the second one asks for, are left out.
npm_install --legacy-peer-deps @electric-sql/pglite@0.5.17 @electric-sql/pglite-socket@0.2.17 pg@8.23.1
cat >"$work/run.mjs" <<'JS'
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import pg from "pg";

const db = await PGlite.create();
const path = process.argv[2] + "/.s.PGSQL.5432";
const server = new PGLiteSocketServer({ db, path, maxConnections: 4 });
await server.start();

async function connect(database) {
    const client = new pg.Client({ host: process.argv[2], port: 5432, user: "postgres", database, ssl: false });
    await client.connect();
    return client;
}

const first = await connect("postgres");
const second = await connect("postgres");
const value = async (client, sql) => Object.values((await client.query(sql)).rows[0])[0];

console.log(await value(first, "SELECT pg_try_advisory_lock(1)"), await value(second, "SELECT pg_try_advisory_lock(1)"));
await first.query("SET lock_timeout = '7s'");
console.log(await value(second, "SHOW lock_timeout"));
await first.query("CREATE TABLE mine (id int)");
const other = await connect("other");
await first.query("CREATE DATABASE created");
const created = await connect("created");
console.log(await value(other, "SELECT to_regclass('mine')"), await value(other, "SELECT current_database()"));
console.log(await value(created, "SELECT to_regclass('mine')"), await value(created, "SELECT current_database()"));
for (const client of [first, second, other, created]) await client.end();
await server.stop();
await db.close();
JS
mkdir "$work/socket"
node "$work/run.mjs" "$work/socket" >"$work/seen" 2>"$work/log" || { cat "$work/log" >&2; changed "it cannot run"; }
expect "the lock, for one client and then the other" "true true" "$(sed -n 1p "$work/seen")"
expect "lock_timeout of the second client, set by the first" 7s "$(sed -n 2p "$work/seen")"
expect "table and name of a database that was never created" "mine postgres" "$(sed -n 3p "$work/seen")"
expect "table and name of a database that was created after the table" "mine postgres" "$(sed -n 4p "$work/seen")"
as_stated "two clients are one session"
