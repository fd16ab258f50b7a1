#!/bin/sh
# Whether a table exists, asked through Pgpool-II with a standby that is behind (Pgpool-II 4.3.5 of Debian 12, streaming
# replication with load balancing; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: Pgpool-II sends queries of the catalogs to the primary, so a migration tool finds its ledger in whichever way
# it asks, or it sends all of them to the standby, as it does with other reads.
# Seen: only tables of pg_catalog that a query names after FROM count. pg_class, pg_attribute and pg_tables are read from
# the primary, information_schema and a cast to regclass from the standby. So in one session, after CREATE TABLE has
# succeeded, the table and its column exist by the first three and not by the others. A tool that looks for its ledger
# in information_schema creates it again, or treats a migrated database as an empty one. In a transaction that has taken
# a lock all of them are answered by the primary.
set -eu
. "$(dirname "$0")/lib/setup.sh"

start_pgpool_with_standby
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const [pooler, standby] = process.argv.slice(2);
    const [replica, pooled] = [await connect({ host: standby }), await connect({ host: pooler, port: 9999 })];
    await replica.query("SELECT pg_wal_replay_pause()");
    while ((await replica.query("SELECT pg_get_wal_replay_pause_state() AS state")).rows[0].state !== "paused");
    await pooled.query("CREATE TABLE ledger (applied_at int)");
    const questions = [
        "SELECT count(*) > 0 AS it FROM pg_class WHERE relname = 'ledger'",
        "SELECT count(*) > 0 AS it FROM pg_tables WHERE tablename = 'ledger'",
        "SELECT count(*) > 0 AS it FROM pg_attribute WHERE attname = 'applied_at'",
        "SELECT count(*) > 0 AS it FROM information_schema.tables WHERE table_name = 'ledger'",
        "SELECT count(*) > 0 AS it FROM information_schema.columns WHERE column_name = 'applied_at'",
        "SELECT 'ledger'::regclass IS NOT NULL AS it",
    ];
    const ask = async () => {
        const seen = [];
        for (const question of questions) seen.push(await pooled.query(question).then(({ rows }) => rows[0].it, (error) => error.code));
        console.log(...seen);
    };
    await ask();
    await pooled.query("BEGIN");
    await pooled.query("SELECT pg_advisory_xact_lock(1)");
    await ask();
    await pooled.query("COMMIT");
    await Promise.all([replica.end(), pooled.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" "$standby" >"$work/seen"
what="whether pg_class, pg_tables and pg_attribute, information_schema's tables and columns, and a cast find it"
expect "$what" "true true true false false 42P01" "$(sed -n 1p "$work/seen")"
expect "the same in a transaction that has an advisory lock" "true true true true true true" "$(sed -n 2p "$work/seen")"
as_stated "a table that was created exists by one catalog and not by another"
