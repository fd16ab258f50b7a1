#!/bin/sh
# An SQL file with a down marker and no up marker (node-pg-migrate 9.0.0, node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: what is above `-- Down Migration` is the up part.
# Seen: without `-- Up Migration` the whole file is the up part, its down statements included. The run succeeds
# and records the migration, and the table that it creates is gone again.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install node-pg-migrate@9.0.0 pg@8.23.1
mkdir "$work/migrations"
cat >"$work/migrations/1700000000000_create-users.sql" <<'SQL'
CREATE TABLE users (id int);

-- Down Migration
DROP TABLE users;
SQL
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

(async () => {
    const client = new Client();
    await client.connect();
    const { rows } = await client.query("SELECT name, to_regclass('users') AS users FROM pgmigrations");
    console.log(rows.map((row) => `${row.name} ${row.users}`).join());
    await client.end();
})();
JS
(cd "$work" && DATABASE_URL="postgresql:///postgres" node_modules/.bin/node-pg-migrate up -m migrations) >"$work/log.up" 2>&1 ||
    { cat "$work/log.up" >&2; changed "the run fails"; }
expect "applied migration and its table" "1700000000000_create-users null" "$(node "$work/run.cjs")"
as_stated "the up run executed the down part"
