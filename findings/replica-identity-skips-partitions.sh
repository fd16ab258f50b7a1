#!/bin/sh
# REPLICA IDENTITY of a partitioned table without a primary key (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: what ALTER TABLE sets for a partitioned table is that of its partitions, as with columns, constraints and
# triggers, and a partition that is created later has it too.
# Seen: the statement succeeds and changes only the partitioned table, which has no rows. Its partitions keep theirs, so
# with a publication each UPDATE and DELETE of their rows still fails with 55000. Set on each partition it works, until
# the next one is created: that has the default again. Its rows can be inserted, and the first UPDATE fails, on the
# first day of a month for instance, and only where a publication exists, so not in a test without one.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const next = async (month) => {
        await client.query(`CREATE TABLE events_${month} PARTITION OF events FOR VALUES FROM (${month}) TO (${month + 1})`);
        return code(client.query("INSERT INTO events VALUES ($1)", [month]));
    };
    const update = (month) => code(client.query("UPDATE events SET note = '' WHERE month = $1", [month]));
    await client.query("CREATE TABLE events (month int, note text) PARTITION BY RANGE (month)");
    console.log(await next(1), await update(1));
    await client.query("CREATE PUBLICATION everything FOR ALL TABLES");
    console.log(await update(1));
    await client.query("ALTER TABLE events REPLICA IDENTITY FULL");
    console.log(await update(1));
    await client.query("ALTER TABLE events_1 REPLICA IDENTITY FULL");
    console.log(await update(1));
    console.log(await next(2), await update(2), await update(1));
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of an INSERT and an UPDATE without a publication" "none none" "$(sed -n 1p "$work/seen")"
expect "error of an UPDATE with one" 55000 "$(sed -n 2p "$work/seen")"
expect "the same with REPLICA IDENTITY FULL of the partitioned table" 55000 "$(sed -n 3p "$work/seen")"
expect "the same with that of the partition" none "$(sed -n 4p "$work/seen")"
expect "errors of an INSERT and an UPDATE in a new partition, and an UPDATE in the old one" "none 55000 none" "$(sed -n 5p "$work/seen")"
as_stated "each new partition refuses UPDATE until its own identity is set"
