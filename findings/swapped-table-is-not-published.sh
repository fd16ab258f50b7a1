#!/bin/sh
# A table that a migration replaces by a copy under logical replication (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a publication and a subscription name `public.events`, so the replication goes on with the table of that
# name, or it fails.
# Seen: a publication means the table that it was created for. After the usual swap, RENAME events TO events_old and
# RENAME events_new TO events in one transaction, it has events_old, which nothing writes to any more. So no error
# appears on either side, the slot is active and without lag, and no later row of `events` is sent. ALTER PUBLICATION
# .. SET TABLE events sends what is written from then on. The rows in between are missing for good: ALTER SUBSCRIPTION
# .. REFRESH PUBLICATION copies nothing, because the subscriber's table of that name has been copied already. With
# ALTER PUBLICATION in the transaction of the swap no row is missing.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c wal_level=logical
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect, subscribe } = require("./client.cjs");

(async () => {
    const here = await connect();
    await here.query("CREATE DATABASE copy");
    const there = await connect({ database: "copy" });
    for (const client of [here, there]) await client.query("CREATE TABLE events (id int PRIMARY KEY)");
    await here.query("CREATE PUBLICATION p FOR TABLE events");
    const caughtUp = await subscribe(here, there);
    const ids = async () => {
        await caughtUp();
        console.log((await there.query("SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM events")).rows[0].ids);
    };
    const swap = (then) => here.query(`BEGIN; CREATE TABLE events_new (LIKE events INCLUDING ALL); INSERT INTO events_new SELECT * FROM events;
        ALTER TABLE events RENAME TO events_old; ALTER TABLE events_new RENAME TO events; ${then} COMMIT`);
    await here.query("INSERT INTO events VALUES (1)");
    await ids();
    await swap("");
    await here.query("INSERT INTO events VALUES (2)");
    await ids();
    console.log((await here.query("SELECT string_agg(tablename, ' ') AS names FROM pg_publication_tables")).rows[0].names);
    console.log((await there.query("SELECT apply_error_count + sync_error_count AS n FROM pg_stat_subscription_stats")).rows[0].n);
    await here.query("ALTER PUBLICATION p SET TABLE events; INSERT INTO events VALUES (3)");
    console.log(await code(there.query("ALTER SUBSCRIPTION s REFRESH PUBLICATION")));
    await ids();
    await here.query("DROP TABLE events_old");
    await swap("ALTER PUBLICATION p SET TABLE events;");
    await here.query("INSERT INTO events VALUES (4)");
    await ids();
    await there.query("DROP SUBSCRIPTION s");
    await Promise.all([here.end(), there.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "rows of the subscriber" 1 "$(sed -n 1p "$work/seen")"
expect "rows of the subscriber after the swap and one more row" 1 "$(sed -n 2p "$work/seen")"
expect "tables of the publication" events_old "$(sed -n 3p "$work/seen")"
expect "errors of the subscription" 0 "$(sed -n 4p "$work/seen")"
expect "error of REFRESH after ALTER PUBLICATION" none "$(sed -n 5p "$work/seen")"
expect "rows of the subscriber after it and one more row" "1 3" "$(sed -n 6p "$work/seen")"
expect "the same after a swap with ALTER PUBLICATION and one more row" "1 3 4" "$(sed -n 7p "$work/seen")"
as_stated "the new table of the name is not replicated, without an error"
