#!/bin/sh
# A commit that waits for a synchronous standby (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: statement_timeout, or transaction_timeout of 17, limits how long an ALTER TABLE keeps its ACCESS EXCLUSIVE
# lock.
# Seen: both end before the commit waits for the standby. If no standby answers, the ALTER TABLE waits without a
# limit, holds its lock, and blocks all readers of the table. A cancel ends the wait with a warning, not with an
# error: the statement succeeds and its change is there. So a client that gave up after its timeout, and counts the
# migration as failed, is wrong.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c synchronous_standby_names=none_is_connected
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service, watch] = [await connect(), await connect(), await connect()];
    const warnings = [];
    migrating.on("notice", (notice) => warnings.push(notice.message));
    for (const client of [service, watch]) await client.query("SET synchronous_commit = local");
    await watch.query("CREATE TABLE t ()");
    await migrating.query("SET statement_timeout = '100ms'");
    console.log(await code(migrating.query("SELECT pg_sleep(60)")));
    await migrating.query("SET transaction_timeout = '100ms'");

    const altered = migrating.query("ALTER TABLE t ADD COLUMN a int").then(({ command }) => command, (error) => error.code);
    const waits = "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'";
    while ((await watch.query(waits, [migrating.processID])).rowCount === 0);
    await watch.query("SELECT pg_sleep(1)");
    await service.query("SET lock_timeout = '100ms'");
    console.log((await watch.query(waits, [migrating.processID])).rowCount, await code(service.query("SELECT FROM t")));

    await watch.query("SELECT pg_cancel_backend($1)", [migrating.processID]);
    console.log(await altered, await code(service.query("SELECT a FROM t")));
    console.log(warnings.join());
    await Promise.all([migrating.end(), service.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "error of pg_sleep() beyond the timeout" 57014 "$(sed -n 1p "$work/seen")"
expect "sessions that wait for the standby after ten timeouts, and error of a reader" "1 55P03" "$(sed -n 2p "$work/seen")"
expect "end of the cancelled ALTER TABLE, and error of a reader of its column" "ALTER none" "$(sed -n 3p "$work/seen")"
expect "warning" "canceling wait for synchronous replication due to user request" "$(sed -n 4p "$work/seen")"
as_stated "no timeout limits how long a commit holds its locks, and a cancel makes it succeed"
