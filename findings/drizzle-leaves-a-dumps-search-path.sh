#!/bin/sh
# A dump as the first migration, run from the service's pool (pg_dump 15.20 and PostgreSQL 15.20 of Debian 12's
# security archive; drizzle-orm 0.45.4, node-postgres 8.23.1).
#
# Guess: once migrate() has succeeded, all connections of the pool find the tables; what a file sets ends with it.
# Seen: a dump sets search_path to nothing, for the session. The connection that migrated goes back to the pool with
# it, so each query that gets this connection fails with 42P01 "relation does not exist", and the same query on
# another one succeeds. After a restart there is nothing to migrate, and all succeed. The ledger does not notice,
# because drizzle writes the schema before its name.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
npm_install drizzle-orm@0.45.4 pg@8.23.1
mkdir -p "$work/migrations/meta"
"$programs/psql" -X -q -c "CREATE DATABASE old" -c "CREATE DATABASE new" -c "\\c old" -c "CREATE TABLE users (id int)"
# Without its two commands for psql.
"$programs/pg_dump" --schema-only old | grep -v '^\\' >"$work/migrations/0000_dump.sql"
cat >"$work/run.cjs" <<'JS'
const fs = require("fs");
const { Pool } = require("pg");
const { drizzle } = require("drizzle-orm/node-postgres");
const { migrate } = require("drizzle-orm/node-postgres/migrator");

const folder = __dirname + "/migrations";
const entries = [{ idx: 0, version: "7", when: 1700000000000, tag: "0000_dump", breakpoints: true }];
fs.writeFileSync(folder + "/meta/_journal.json", JSON.stringify({ version: "7", dialect: "postgresql", entries }));

(async () => {
    for (const boot of [1, 2]) {
        const pool = new Pool({ database: "new" });
        await migrate(drizzle(pool), { migrationsFolder: folder });
        // Three requests at once: the pool opens connections beside the one that has migrated.
        const requests = [1, 2, 3].map(() => pool.query("SELECT FROM users").then(() => "none", (error) => error.code));
        console.log((await Promise.all(requests)).sort().join());
        await pool.end();
    }
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "errors of three requests at once after the first boot" "42P01,none,none" "$(sed -n 1p "$work/seen")"
expect "the same after the second boot" "none,none,none" "$(sed -n 2p "$work/seen")"
as_stated "one connection of the pool has the dump's empty search_path"
