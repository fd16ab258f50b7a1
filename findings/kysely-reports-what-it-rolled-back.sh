#!/bin/sh
# Two migrations of which the second fails (kysely 0.28.19, node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: migrateToLatest() stops at the second and throws. What it reports as applied before is applied.
# Seen: it throws nothing and returns the error beside `results`, where the first migration has the status "Success".
# All pending migrations are one transaction, so the first one is rolled back as well: its table does not exist, and
# getMigrations() has neither as executed. A program that logs the results reports a table that is not there, and one
# that does not look at `error` exits with 0.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install kysely@0.28.19 pg@8.23.1
cat >"$work/run.cjs" <<'JS'
const { Kysely, Migrator, PostgresDialect, sql } = require("kysely");
const { Pool } = require("pg");

(async () => {
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool() }) });
    const migrations = { 1: "CREATE TABLE users (id int)", 2: "CREATE TABLE orders (buyer int REFERENCES nowhere)" };
    const up = (text) => ({ up: (client) => sql.raw(text).execute(client) });
    const provider = { getMigrations: async () => Object.fromEntries(Object.entries(migrations).map(([name, text]) => [name, up(text)])) };
    const migrator = new Migrator({ db, provider });
    const { error, results } = await migrator.migrateToLatest();
    console.log(error.code);
    console.log(results.map(({ migrationName, status }) => `${migrationName} ${status}`).join(", "));
    console.log((await migrator.getMigrations()).filter(({ executedAt }) => executedAt).length);
    console.log((await sql`SELECT to_regclass('users') IS NOT NULL AS there`.execute(db)).rows[0].there);
    await db.destroy();
})();
JS
code=0
timeout 60 node "$work/run.cjs" >"$work/seen" || code=$?
expect "exit code" 0 "$code"
expect "error that is returned" 42P01 "$(sed -n 1p "$work/seen")"
expect "results" "1 Success, 2 Error" "$(sed -n 2p "$work/seen")"
expect "migrations that are executed" 0 "$(sed -n 3p "$work/seen")"
expect "whether the table of the first exists" false "$(sed -n 4p "$work/seen")"
as_stated "a migration with the status Success is rolled back"
