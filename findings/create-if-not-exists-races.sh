#!/bin/sh
# CREATE TABLE IF NOT EXISTS fails when two sessions run it at once (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: the second session waits for the first, finds the table and skips it with a notice.
# Seen: it looks for the table before it waits. After the first session has committed, it fails with 23505, a
# duplicate key in pg_type_typname_nsp_index, so a service that creates its ledger this way at boot fails
# where two replicas boot on an empty database. CREATE SCHEMA IF NOT EXISTS fails alike, in
# pg_namespace_nspname_index.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

// The constraint that the second session violates; the first one commits once the second one waits.
async function race(sql) {
    const [first, second, watch] = [await connect(), await connect(), await connect()];
    await first.query("BEGIN");
    await first.query(sql);
    const late = second.query(sql).then(() => "none", (error) => `${error.code} ${error.constraint}`);
    const waits = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'";
    while ((await watch.query(waits, [second.processID])).rowCount === 0);
    await first.query("COMMIT");
    const seen = await late;
    await Promise.all([first.end(), second.end(), watch.end()]);
    return seen;
}

(async () => {
    console.log(await race("CREATE TABLE IF NOT EXISTS ledger (version text)"));
    console.log(await race("CREATE SCHEMA IF NOT EXISTS app"));
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "error of the second CREATE TABLE" "23505 pg_type_typname_nsp_index" "$(sed -n 1p "$work/seen")"
expect "error of the second CREATE SCHEMA" "23505 pg_namespace_nspname_index" "$(sed -n 2p "$work/seen")"
as_stated "IF NOT EXISTS does not survive a race"
