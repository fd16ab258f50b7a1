#!/bin/sh
# An index of a PL/pgSQL function that calls another function, created on an empty table (PostgreSQL 16.14 and 18.4;
# node-postgres 8.23.1).
#
# Guess: an index that CREATE INDEX has built, and that every INSERT writes to, can be built again.
# Seen: since 17, CREATE INDEX, REINDEX and ANALYZE run with search_path = pg_catalog, pg_temp, where a function of
# public is found only by its full name; the release notes say so. INSERT runs with that of the session. On an empty
# table, as in tests, CREATE INDEX calls nothing and succeeds, and INSERTs write to the index. The same statement
# on a table with rows fails with 42883, so the migration fails first where there is data. Where it was applied on an
# empty table, REINDEX fails from the first row on, and ANALYZE, so autovacuum never collects statistics of the table.
set -eu
. "$(dirname "$0")/lib/setup.sh"

install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const run = (sql) => code(client.query(sql));
    await client.query("CREATE FUNCTION fold(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT lower($1) $$");
    await client.query("CREATE FUNCTION key(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN fold($1); END $$");
    await client.query("CREATE TABLE users (name text)");
    console.log(await run("CREATE INDEX by_key ON users (key(name))"));
    console.log(await run("INSERT INTO users VALUES ('A')"), await run("SELECT FROM users WHERE key(name) = 'a'"));
    console.log(await run("CREATE INDEX again ON users (key(name))"), await run("REINDEX INDEX by_key"), await run("ANALYZE users"));
    await client.end();
})();
JS

# check VERSION REBUILT
check() {
    timeout 60 node "$work/run.cjs" >"$work/seen"
    expect "$1: error of CREATE INDEX on the empty table" none "$(sed -n 1p "$work/seen")"
    expect "$1: errors of an INSERT and a query of the index" "none none" "$(sed -n 2p "$work/seen")"
    expect "$1: errors of CREATE INDEX with a row, REINDEX and ANALYZE" "$2" "$(sed -n 3p "$work/seen")"
}
start_server "$("$root/scripts/get-postgres.sh" 16 | tail -n 1)" 16.14
check 16 "none none none"
server_18
check 18 "42883 42883 42883"
as_stated "the index works, and cannot be built on a table with rows"
