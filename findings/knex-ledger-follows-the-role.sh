#!/bin/sh
# A migration that creates a schema with the name of the service's role (knex 3.3.0, typeorm 1.1.1, node-postgres
# 8.23.1; PostgreSQL 18.4).
#
# Guess: the ledger is in public, where the first run created it, and what is in it is not applied again.
# Seen: the ledger has no schema in its name, and search_path begins with "$user". Once a migration has created the
# schema `app`, the next run as the role `app` looks there, finds no ledger, creates an empty one, and applies all
# migrations again. With IF NOT EXISTS in them that succeeds, and a change of data happens twice; without it the
# service does not boot. Later runs are quiet, because they find the second ledger.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install knex@3.3.0 typeorm@1.1.1 reflect-metadata@0.2.2 pg@8.23.1
cp "$root/findings/lib/client.cjs" "$work"
cat >"$work/run.cjs" <<'JS'
require("reflect-metadata");
const knex = require("knex");
const { DataSource } = require("typeorm");
const { connect } = require("./client.cjs");

// Each can run twice without an error.
const SCHEMA = "CREATE SCHEMA IF NOT EXISTS app; CREATE TABLE IF NOT EXISTS app.prices (cents int PRIMARY KEY)";
const FIRST = "INSERT INTO app.prices SELECT 5 WHERE NOT EXISTS (SELECT FROM app.prices)";
const CENTS = "UPDATE app.prices SET cents = cents * 100";
const migrations = [`${SCHEMA}; ${FIRST}`, CENTS];

async function withKnex() {
    const migrationSource = {
        getMigrations: async () => [0, 1],
        getMigrationName: (number) => `migration ${number}`,
        getMigration: async (number) => ({ up: (client) => client.raw(migrations[number]), down: async () => {} }),
    };
    const client = knex({ client: "pg", connection: { host: process.env.PGHOST, user: "app", database: "of_knex" } });
    const [, applied] = await client.migrate.latest({ migrationSource });
    await client.destroy();
    return applied.length;
}

async function withTypeorm() {
    const classes = migrations.map((sql, number) => {
        const name = `Migration170000000000${number}`;
        return { [name]: class { name = name; up(runner) { return runner.query(sql); } async down() {} } }[name];
    });
    const source = new DataSource({ type: "postgres", host: process.env.PGHOST, username: "app", database: "of_typeorm", migrations: classes });
    await source.initialize();
    const applied = await source.runMigrations();
    await source.destroy();
    return applied.length;
}

(async () => {
    const admin = await connect();
    await admin.query("CREATE ROLE app LOGIN");
    for (const [name, run] of [["of_knex", withKnex], ["of_typeorm", withTypeorm]]) {
        await admin.query(`CREATE DATABASE ${name} OWNER app`);
        console.log(await run(), await run(), await run());
        process.env.PGDATABASE = name;
        const client = await connect();
        const ledgers = "SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY relnamespace) AS ledgers, " +
            "(SELECT cents FROM app.prices) AS cents FROM pg_class WHERE relname IN ('knex_migrations', 'migrations')";
        console.log(...Object.values((await client.query(ledgers)).rows[0]));
        await client.end();
    }
    await admin.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "knex: migrations applied by three runs" "2 2 0" "$(sed -n 1p "$work/seen")"
expect "knex: ledgers, and the price of 500 cents" "public.knex_migrations app.knex_migrations 50000" "$(sed -n 2p "$work/seen")"
expect "typeorm: migrations applied by three runs" "2 2 0" "$(sed -n 3p "$work/seen")"
expect "typeorm: ledgers, and the price of 500 cents" "public.migrations app.migrations 50000" "$(sed -n 4p "$work/seen")"
as_stated "the second run applies all migrations again, with a second ledger"
