#!/bin/sh
# CREATE INDEX CONCURRENTLY against a session that waits for an advisory lock (PostgreSQL 18.4; node-postgres
# 8.23.1).
#
# Guess: a replica that waits in pg_advisory_lock() until the migrating one has finished holds no lock, so it is
# in no session's way.
# Seen: its SELECT holds a snapshot while it waits, and CREATE INDEX CONCURRENTLY waits for every older snapshot.
# Each session waits for the other. A session looks for a deadlock once, deadlock_timeout (1 s) after its wait
# began, so where the replica has waited for longer than that, the build is the one that fails with 40P01, and it
# leaves an INVALID index. A replica that asks pg_try_advisory_lock() again and again is in no session's way.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, waiting, watch] = [await connect(), await connect(), await connect()];
    await migrating.query("CREATE TABLE t (id int)");
    await migrating.query("SELECT pg_advisory_lock(1)");
    // As if it had waited for more than the usual second when the build begins.
    await waiting.query("SET deadlock_timeout = 1");
    const wait = code(waiting.query("SELECT pg_advisory_lock(1)"));
    const waits = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'advisory'";
    while ((await watch.query(waits, [waiting.processID])).rowCount === 0);
    await watch.query("SELECT pg_sleep(0.2)");
    console.log(await code(migrating.query("CREATE INDEX CONCURRENTLY i ON t (id)")));
    const valid = await watch.query("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i')");
    console.log(valid.rows.map((row) => row.indisvalid).join());
    await migrating.query("SELECT pg_advisory_unlock(1)");
    console.log(await wait);

    await migrating.query("DROP INDEX IF EXISTS i");
    await waiting.query("SELECT pg_advisory_unlock_all()");
    await migrating.query("SELECT pg_advisory_lock(1)");
    let built = false;
    const second = code(migrating.query("CREATE INDEX CONCURRENTLY i ON t (id)")).finally(() => (built = true));
    while (!built) await waiting.query("SELECT pg_try_advisory_lock(1)");
    console.log(await second);
    await Promise.all([migrating.end(), waiting.end(), watch.end()]);
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "error of the build" 40P01 "$(sed -n 1p "$work/seen")"
expect "the index is valid" false "$(sed -n 2p "$work/seen")"
expect "error of the waiting replica" none "$(sed -n 3p "$work/seen")"
expect "error of the build beside pg_try_advisory_lock" none "$(sed -n 4p "$work/seen")"
as_stated "a replica that waits for the lock ends the build that holds it"
