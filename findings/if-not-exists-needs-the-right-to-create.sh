#!/bin/sh
# IF NOT EXISTS of what exists, as a role that may create nothing (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a schema and a ledger that exist are skipped with a notice, so a service whose role may only read and write
# can begin with CREATE SCHEMA IF NOT EXISTS and CREATE TABLE IF NOT EXISTS.
# Seen: the privilege is checked before the name, so both fail with 42501, as do CREATE SEQUENCE and CREATE INDEX. Even
# the owner of a schema, who may create anything in it but no schemas, cannot skip its creation. In a read-only
# transaction all fail with 25006. CREATE MATERIALIZED VIEW and CREATE EXTENSION are skipped for the same roles. So a
# service fails to start once its role loses a right that it last needed at its first start.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query(`
        CREATE ROLE service;
        CREATE ROLE owner;
        CREATE SCHEMA app AUTHORIZATION owner;
        CREATE TABLE app.ledger (version text);
        CREATE INDEX by_version ON app.ledger (version);
        CREATE SEQUENCE app.ids;
        CREATE MATERIALIZED VIEW app.total AS SELECT 1;
        CREATE EXTENSION citext;
        GRANT USAGE ON SCHEMA app TO service;
        GRANT ALL ON ALL TABLES IN SCHEMA app TO service`);
    const show = async () => {
        const codes = [];
        for (const what of [
            "SCHEMA IF NOT EXISTS app",
            "TABLE IF NOT EXISTS app.ledger (version text)",
            "SEQUENCE IF NOT EXISTS app.ids",
            "INDEX IF NOT EXISTS by_version ON app.ledger (version)",
            "MATERIALIZED VIEW IF NOT EXISTS app.total AS SELECT 1",
            "EXTENSION IF NOT EXISTS citext",
        ]) codes.push(await code(client.query(`CREATE ${what}`)));
        console.log(...codes);
    };
    await show();
    for (const role of ["service", "owner"]) {
        await client.query(`SET ROLE ${role}`);
        await show();
        await client.query("RESET ROLE");
    }
    await client.query("SET default_transaction_read_only = on");
    await show();
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
what="errors of SCHEMA, TABLE, SEQUENCE, INDEX, MATERIALIZED VIEW and EXTENSION that exist"
expect "$what, as superuser" "none none none none none none" "$(sed -n 1p "$work/seen")"
expect "the same as a role that may create nothing" "42501 42501 42501 42501 none none" "$(sed -n 2p "$work/seen")"
expect "the same as the owner of the schema" "42501 none none 42501 none none" "$(sed -n 3p "$work/seen")"
expect "the same as superuser in read-only transactions" "25006 25006 25006 25006 25006 25006" "$(sed -n 4p "$work/seen")"
as_stated "IF NOT EXISTS of what exists needs the right to create it, except for two kinds"
