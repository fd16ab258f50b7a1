#!/bin/sh
# pg_attribute.attoptions of a column without options (PostgreSQL 15.20 of Debian 12, node-postgres 8.23.1).
#
# Guess: attoptions has what ALTER COLUMN .. SET (n_distinct = ..) has set and is null elsewhere; and a minor release
# changes nothing in the catalogs of a schema.
# Seen: each column of a new table has a `pg_attver=..` there. A type that is changed and changed back leaves
# another number, so what compares catalogs, to check that a down script restores what was, finds a difference
# where there is none. PostgreSQL 15.18 and 18.4 have null.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
npm_install pg@8.23.1
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

(async () => {
    const client = new Client();
    await client.connect();
    const options = async () => {
        const sql = "SELECT attoptions AS o FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'v'";
        return ((await client.query(sql)).rows[0].o ?? ["null"]).join();
    };
    await client.query("CREATE TABLE t (v text)");
    const before = await options();
    console.log(before.replace(/[0-9]+/, "N"));
    await client.query("ALTER TABLE t ALTER COLUMN v TYPE varchar(50)");
    await client.query("ALTER TABLE t ALTER COLUMN v TYPE text");
    const after = await options();
    console.log(after.replace(/[0-9]+/, "N"), before === after ? "the same" : "another");
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "attoptions of a new column" "pg_attver=N" "$(sed -n 1p "$work/seen")"
expect "after its type was changed and changed back" "pg_attver=N another" "$(sed -n 2p "$work/seen")"
as_stated "attoptions differs although the column is as it was"
