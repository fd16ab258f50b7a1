#!/bin/sh
# ALTER TABLE with a lock_timeout, beside a transaction on a standby that has read the table (PostgreSQL 18.4;
# node-postgres 8.23.1).
#
# Guess: a standby's readers hold no lock that the primary sees, so the ALTER TABLE is over at once, and lock_timeout
# limits how long it can block anything.
# Seen: it is over at once on the primary. The standby has to take the same ACCESS EXCLUSIVE lock, waits for its
# reader, and replays nothing more meanwhile: what is written to any other table afterwards is not seen there, and
# each new query of the table waits on the standby. No setting of the session that migrates limits that, but the
# standby's max_standby_streaming_delay, 30 s by default: after that it ends the reader's connection, also if that is
# idle.
set -eu
. "$(dirname "$0")/lib/setup.sh"

init_server "$("$root/scripts/get-postgres.sh" 18 | tail -n 1)" 18.4
standby=$work/standby
cp -a "$home" "$standby"
touch "$standby/data/standby.signal"
run_server "$standby" -c "primary_conninfo=host=$home user=postgres"
run_server "$home"
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const host = process.argv[2];
    const [primary, reader, service] = [await connect(), await connect({ host }), await connect({ host })];
    const ended = new Promise((resolve) => reader.on("error", (error) => resolve(error.code)));
    const until = async (sql, values) => {
        while (!(await service.query(sql, values)).rows[0].done) await new Promise(setImmediate);
    };
    const written = async () => [(await primary.query("SELECT pg_current_wal_flush_lsn() AS end")).rows[0].end];
    const others = async () => (await service.query("SELECT count(*) AS n FROM others")).rows[0].n;

    await primary.query("CREATE TABLE orders (id int); CREATE TABLE others (id int)");
    await until("SELECT pg_last_wal_replay_lsn() >= $1 AS done", await written());
    for (const client of [primary, service]) await client.query("SET lock_timeout = '200ms'");
    await reader.query("BEGIN; SELECT FROM orders");

    console.log(await code(primary.query("ALTER TABLE orders ADD COLUMN note text")));
    await primary.query("INSERT INTO others VALUES (1)");
    await until("SELECT pg_last_wal_receive_lsn() >= $1 AS done", await written());
    await until("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'orders'::regclass AND NOT granted) AS done");
    console.log(await code(service.query("SELECT FROM orders")));
    console.log(await others());
    console.log((await service.query("SHOW max_standby_streaming_delay")).rows[0].max_standby_streaming_delay);
    await reader.query("COMMIT");
    await until("SELECT pg_last_wal_replay_lsn() >= $1 AS done", await written());
    console.log(await others());

    await service.query("ALTER SYSTEM SET max_standby_streaming_delay = '1s'");
    await service.query("SELECT pg_reload_conf()");
    await until("SELECT current_setting('max_standby_streaming_delay') = '1s' AS done");
    await reader.query("BEGIN; SELECT FROM orders");
    await primary.query("ALTER TABLE orders ADD COLUMN more text");
    console.log(await ended);
    await Promise.all([primary.end(), service.end()]);
})();
JS
timeout 120 node "$work/run.cjs" "$standby" >"$work/seen"
expect "error of ALTER TABLE with a lock_timeout on the primary" none "$(sed -n 1p "$work/seen")"
expect "error of a new reader of the table on the standby" 55P03 "$(sed -n 2p "$work/seen")"
expect "rows of another table there, of 1 that the standby has received" 0 "$(sed -n 3p "$work/seen")"
expect "limit of the wait" 30s "$(sed -n 4p "$work/seen")"
expect "the same rows once the reader has ended its transaction" 1 "$(sed -n 5p "$work/seen")"
expect "error that ends the idle reader after the limit" 40001 "$(sed -n 6p "$work/seen")"
as_stated "a reader of one table on the standby stops the replay of all"
