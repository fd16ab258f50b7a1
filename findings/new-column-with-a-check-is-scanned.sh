#!/bin/sh
# ADD COLUMN with a constraint (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a new column without a default is NULL in all rows, and NULL satisfies every CHECK and every foreign key, so
# adding it with either reads no rows.
# Seen: with REFERENCES no row is read. With CHECK the whole table is read, under an ACCESS EXCLUSIVE lock. The column
# alone, and then the CHECK as NOT VALID, read none.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const first = await connect();
    await first.query("CREATE TABLE kinds (id int PRIMARY KEY); CREATE TABLE users (id int)");
    await first.query("INSERT INTO users SELECT generate_series(1, 1000)");
    await first.end();
    const scans = async (change) => {
        // The count is that of a session.
        const client = await connect();
        await client.query(`BEGIN; ${change}`);
        const { rows } = await client.query("SELECT pg_stat_get_xact_numscans('users'::regclass) AS scans, " +
            "pg_stat_get_xact_tuples_returned('users'::regclass) AS read");
        console.log(rows[0].scans, rows[0].read);
        await client.query("ROLLBACK");
        await client.end();
    };
    await scans("ALTER TABLE users ADD kind int REFERENCES kinds");
    await scans("ALTER TABLE users ADD kind int CHECK (kind > 0)");
    await scans("ALTER TABLE users ADD kind int; ALTER TABLE users ADD CHECK (kind > 0) NOT VALID");
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "scans and rows read for a column with REFERENCES" "0 0" "$(sed -n 1p "$work/seen")"
expect "the same with CHECK" "1 1000" "$(sed -n 2p "$work/seen")"
expect "the same with the CHECK added later, as NOT VALID" "0 0" "$(sed -n 3p "$work/seen")"
as_stated "a CHECK of a new column reads all rows, a foreign key none"
