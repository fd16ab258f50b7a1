#!/bin/sh
# DETACH PARTITION CONCURRENTLY that fails because of its lock_timeout (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a statement that fails leaves the table as it was, or an object that no query uses, as a failed CREATE INDEX
# CONCURRENTLY does, and it can be run again.
# Seen: it commits its first half before it waits for the readers. After the error the partition's rows are missing
# from each query of the partitioned table, inserts of its range fail with 23514, and no partition can be created for
# that range. A second DETACH, with CONCURRENTLY or without, also of another partition, fails with 55000; only
# FINALIZE goes on, which the manual names. If a migration adds a column to the partitioned table before that, it
# skips the partition, and FINALIZE fails with 42804 until that column is dropped again.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, reader, service] = [await connect(), await connect(), await connect()];
    await migrating.query("CREATE TABLE events (day int) PARTITION BY RANGE (day)");
    for (const day of [1, 2]) await migrating.query(`CREATE TABLE day_${day} PARTITION OF events FOR VALUES FROM (${day}) TO (${day + 1})`);
    await migrating.query("INSERT INTO events VALUES (1), (2)");
    await migrating.query("SET lock_timeout = '200ms'");
    const days = async () => (await service.query("SELECT string_agg(day::text, ' ' ORDER BY day) AS days FROM events")).rows[0].days;
    const change = (sql) => code(migrating.query(`ALTER TABLE events ${sql}`));

    await reader.query("BEGIN; SELECT FROM events");
    console.log(await days());
    console.log(await change("DETACH PARTITION day_1 CONCURRENTLY"));
    await reader.query("COMMIT");
    console.log(await days());
    console.log(await code(service.query("INSERT INTO events VALUES (1)")));
    console.log(await code(service.query("CREATE TABLE again PARTITION OF events FOR VALUES FROM (1) TO (2)")));
    for (const sql of ["day_1 CONCURRENTLY", "day_1", "day_2 CONCURRENTLY"]) console.log(await change(`DETACH PARTITION ${sql}`));
    for (const sql of ["ADD COLUMN note text", "DETACH PARTITION day_1 FINALIZE", "DROP COLUMN note", "DETACH PARTITION day_1 FINALIZE"]) {
        console.log(await change(sql));
    }
    for (const client of [migrating, reader, service]) await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "days in the table" "1 2" "$(sed -n 1p "$work/seen")"
expect "error of DETACH PARTITION CONCURRENTLY beside a reader" 55P03 "$(sed -n 2p "$work/seen")"
expect "days after it" 2 "$(sed -n 3p "$work/seen")"
expect "errors of an INSERT of that day, and of a new partition for it" "23514 42P17" "$(sed -n 4,5p "$work/seen" | xargs)"
expect "errors of DETACH again, without CONCURRENTLY, and of the other partition" "55000 55000 55000" "$(sed -n 6,8p "$work/seen" | xargs)"
expect "errors of ADD COLUMN, FINALIZE, DROP COLUMN and FINALIZE" "none 42804 none none" "$(sed -n 9,12p "$work/seen" | xargs)"
as_stated "the rows are gone although the statement has failed, and ADD COLUMN makes FINALIZE fail"
