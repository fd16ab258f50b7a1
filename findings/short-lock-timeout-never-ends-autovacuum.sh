#!/bin/sh
# ALTER TABLE with a lock_timeout of less than a second while autovacuum works on the table (PostgreSQL 18.4;
# node-postgres 8.23.1).
#
# Guess: autovacuum makes way for a statement that needs its table's lock, as the manual says, so an ALTER TABLE with a
# short lock_timeout succeeds at the first or second try.
# Seen: the statement that waits is what cancels autovacuum, and only after deadlock_timeout, 1 s by default. With a
# lock_timeout below that, each try fails with 55P03 and autovacuum goes on, which can be hours on a large table; more
# tries do not help. With 2 s the first try succeeds after one, and with deadlock_timeout = 0.1 s (a superuser's
# setting) the short one does.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c autovacuum_naptime=1s
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

const SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, " +
    "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_insert_threshold = -1";

(async () => {
    const [migrating, watch] = [await connect(), await connect()];
    const working = async (table) => {
        const sql = "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE backend_type = 'autovacuum worker' " +
            "AND relation = $1::regclass AND mode = 'ShareUpdateExclusiveLock'";
        return (await watch.query(sql, [table])).rowCount === 1;
    };
    const begin = async (table) => {
        await watch.query(`CREATE TABLE ${table} (id int, filler text) WITH (${SLOW})`);
        await watch.query(`INSERT INTO ${table} SELECT n, repeat('x', 1000) FROM generate_series(1, 10000) n`);
        await watch.query(`DELETE FROM ${table} WHERE id % 2 = 0`);
        for (let tries = 0; tries < 200 && !(await working(table)); tries++) await watch.query("SELECT pg_sleep(0.1)");
    };
    const alter = async (table, timeout) => {
        await migrating.query(`SET lock_timeout = '${timeout}'`);
        return code(migrating.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS note text`));
    };
    await begin("orders");
    const seen = [];
    for (let tries = 0; tries < 5; tries++) seen.push(await alter("orders", "500ms"));
    console.log(seen.join(), await working("orders"));
    console.log(await alter("orders", "2s"), await working("orders"));
    await begin("users");
    await migrating.query("SET deadlock_timeout = '100ms'");
    console.log(await alter("users", "500ms"), await working("users"));
    await Promise.all([migrating.end(), watch.end()]);
})();
JS
timeout 120 node "$work/run.cjs" >"$work/seen"
expect "errors of five tries with 500 ms, and whether autovacuum works" "55P03,55P03,55P03,55P03,55P03 true" "$(sed -n 1p "$work/seen")"
expect "the same of one try with 2 s" "none false" "$(sed -n 2p "$work/seen")"
expect "the same with 500 ms and a deadlock_timeout of 100 ms" "none false" "$(sed -n 3p "$work/seen")"
as_stated "no number of short tries ends autovacuum, and one long try does"
