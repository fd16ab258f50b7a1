#!/bin/sh
# ADD COLUMN at both ends of a subscription to a table with REPLICA IDENTITY FULL (PostgreSQL 18.4; node-postgres
# 8.23.1).
#
# Guess: a column is added on the subscriber first, as the manual advises, and then on the publisher. The rows that were
# there have its default, and the next UPDATE of a row brings the publisher's value along.
# Seen: without a primary key the subscriber looks for a row that is equal in all its columns, also in one that the
# publisher does not have yet, which counts as NULL. So as soon as the subscriber has the column with DEFAULT 0, no
# UPDATE and no DELETE is applied there, also of rows inserted since. With DEFAULT now() that stays so once both have
# the column, for all rows that were there before, because the two ALTER TABLE ran at different moments. No error
# appears and the slot is without lag; 18 logs each row as update_missing or delete_missing. Without a default, or with
# a primary key on the subscriber, nothing is lost.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c wal_level=logical
install_client
cat >"$work/run.cjs" <<'JS'
const { connect, subscribe } = require("./client.cjs");

(async () => {
    const here = await connect();
    await here.query("CREATE DATABASE copy");
    const there = await connect({ database: "copy" });

    // The rows of both after the column was added where `ends` says, and then one row was inserted, all were updated
    // and one deleted; and the errors of the subscription.
    const show = async (id, column, ...ends) => {
        for (const client of [here, there]) await client.query(`CREATE TABLE events (id ${id}, note text); ALTER TABLE events REPLICA IDENTITY FULL`);
        await here.query("CREATE PUBLICATION p FOR TABLE events; INSERT INTO events VALUES (1, 'old'), (2, 'old')");
        const caughtUp = await subscribe(here, there);
        await caughtUp();
        for (const client of ends) await client.query(`ALTER TABLE events ADD COLUMN added ${column}`);
        await here.query("INSERT INTO events VALUES (3, 'old'); UPDATE events SET note = 'new'; DELETE FROM events WHERE id = 2");
        await caughtUp();
        const rows = "SELECT string_agg(id || note, ' ' ORDER BY id) AS rows FROM events";
        const errors = "SELECT apply_error_count + sync_error_count AS n FROM pg_stat_subscription_stats";
        const [sent, seen] = [await here.query(rows), await there.query(rows)];
        console.log(sent.rows[0].rows, "-", seen.rows[0].rows, "-", (await there.query(errors)).rows[0].n);
        await there.query("DROP SUBSCRIPTION s");
        await there.query("DROP TABLE events");
        await here.query("DROP PUBLICATION p; DROP TABLE events");
    };
    await show("int", "int DEFAULT 0", there);
    await show("int", "timestamptz DEFAULT now()", there, here);
    await show("int", "int", there);
    await show("int", "int DEFAULT 0", there, here);
    await show("int PRIMARY KEY", "timestamptz DEFAULT now()", there, here);
    await Promise.all([here.end(), there.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="rows of the publisher, of the subscriber, and errors"
expect "$what, with DEFAULT 0 on the subscriber" "1new 3new - 1old 2old 3old - 0" "$(sed -n 1p "$work/seen")"
expect "the same with DEFAULT now() on both" "1new 3new - 1old 2old 3new - 0" "$(sed -n 2p "$work/seen")"
expect "the first without a default" "1new 3new - 1new 3new - 0" "$(sed -n 3p "$work/seen")"
expect "the same with DEFAULT 0 on both" "1new 3new - 1new 3new - 0" "$(sed -n 4p "$work/seen")"
expect "the same with DEFAULT now() on both and a primary key" "1new 3new - 1new 3new - 0" "$(sed -n 5p "$work/seen")"
expect "lines in the log about missing rows" 7 "$(grep -c 'conflict=\(update\|delete\)_missing' "$work/log")"
as_stated "no UPDATE or DELETE of the rows that were there is applied, without an error"
