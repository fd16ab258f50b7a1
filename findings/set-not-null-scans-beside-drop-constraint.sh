#!/bin/sh
# SET NOT NULL and DROP CONSTRAINT in one ALTER TABLE (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a validated CHECK (column IS NOT NULL) saves SET NOT NULL the scan, and the CHECK can be dropped in the same
# ALTER TABLE, to take the lock once.
# Seen: ALTER TABLE carries out what it drops before what it sets, in whichever order they are written. So the CHECK is
# gone when SET NOT NULL looks for it, and the whole table is read under an ACCESS EXCLUSIVE lock, which is what the
# CHECK was for. Two statements in one transaction read nothing and need the lock once as well.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

// The rows of the table that these statements read, in a session of their own.
async function read(...statements) {
    const client = await connect();
    await client.query("BEGIN");
    for (const statement of statements) await client.query(statement);
    const { rows } = await client.query("SELECT coalesce(sum(seq_tup_read), 0) AS read FROM pg_stat_xact_user_tables WHERE relname = 'users'");
    await client.query("ROLLBACK");
    await client.end();
    console.log(rows[0].read);
}

(async () => {
    const client = await connect();
    await client.query("CREATE TABLE users (email text CONSTRAINT there CHECK (email IS NOT NULL))");
    await client.query("INSERT INTO users SELECT n FROM generate_series(1, 1000) n");
    await client.end();
    await read("ALTER TABLE users ALTER email SET NOT NULL", "ALTER TABLE users DROP CONSTRAINT there");
    await read("ALTER TABLE users ALTER email SET NOT NULL, DROP CONSTRAINT there");
    await read("ALTER TABLE users DROP CONSTRAINT there, ALTER email SET NOT NULL");
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "rows read by SET NOT NULL, and DROP CONSTRAINT after it" 0 "$(sed -n 1p "$work/seen")"
expect "rows read by both in one ALTER TABLE" 1000 "$(sed -n 2p "$work/seen")"
expect "rows read by both in the other order" 1000 "$(sed -n 3p "$work/seen")"
as_stated "in one ALTER TABLE the constraint is dropped first, and all rows are read"
