#!/bin/sh
# Whether a schema has a table, where hundreds of schemas are new (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: information_schema.tables, pg_tables and a join of pg_class with pg_namespace find one table of one schema by
# their indexes, as migration tools ask before each run.
# Seen: until autovacuum has analyzed the catalogs, the server expects one table of that name and a short list of
# schemas. So it goes through all tables of the name, in whichever schema, and reads the whole list of schemas for each:
# with 400 tenants one lookup reads 160,000 rows, and one before each new tenant 21 million in all. With the schema's
# oid as a subquery it reads the list once. After ANALYZE of pg_class and pg_namespace all use the indexes.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

const TENANTS = 400;
const QUERIES = {
    information_schema: "SELECT FROM information_schema.tables WHERE table_schema = 'tenant_400' AND table_name = 'ledger'",
    pg_tables: "SELECT FROM pg_tables WHERE schemaname = 'tenant_400' AND tablename = 'ledger'",
    join: "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tenant_400' AND c.relname = 'ledger'",
    subquery: "SELECT FROM pg_class WHERE relname = 'ledger' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'tenant_400')",
};

(async () => {
    const client = await connect();
    await client.query("ALTER SYSTEM SET autovacuum = off");
    await client.query("SELECT pg_reload_conf()");
    for (let tenant = 1; tenant <= TENANTS; tenant++) {
        await client.query(`CREATE SCHEMA tenant_${tenant}; CREATE TABLE tenant_${tenant}.ledger ()`);
    }
    const schemas = Number((await client.query("SELECT count(*) FROM pg_namespace")).rows[0].count);
    const read = async () => {
        const sql = "SELECT seq_tup_read FROM pg_stat_xact_sys_tables WHERE relid = 'pg_namespace'::regclass";
        return Number((await client.query(sql)).rows[0].seq_tup_read);
    };
    // How often the whole list of schemas was read.
    const scans = async (query) => {
        await client.query("BEGIN");
        const before = await read();
        await client.query(query);
        const after = await read();
        await client.query("ROLLBACK");
        return Math.round((after - before) / schemas);
    };
    const all = async () => {
        const seen = [];
        for (const [name, query] of Object.entries(QUERIES)) seen.push(`${name} ${await scans(query)}`);
        return seen.join(", ");
    };
    console.log(await all());
    await client.query("ANALYZE pg_class, pg_namespace");
    console.log(await all());
    await client.end();
})();
JS
timeout 120 node "$work/run.cjs" >"$work/seen"
expect "lists of schemas read by each lookup, 400 tenants" "information_schema 400, pg_tables 400, join 400, subquery 1" \
    "$(sed -n 1p "$work/seen")"
expect "the same after ANALYZE" "information_schema 0, pg_tables 0, join 0, subquery 0" "$(sed -n 2p "$work/seen")"
as_stated "a lookup of one table reads every schema once for each table of that name"
