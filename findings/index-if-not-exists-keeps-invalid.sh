#!/bin/sh
# CREATE INDEX CONCURRENTLY IF NOT EXISTS after an attempt that failed (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: lock_timeout or a duplicate ends the statement with nothing left, and IF NOT EXISTS makes it safe to run
# again.
# Seen: either leaves an INVALID index of that name. The second attempt succeeds with a notice, and no query uses
# the index. The unique one that a lock_timeout ended is worse than none: it still refuses duplicates in new rows.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [client, reader] = [await connect(), await connect()];
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    const state = async (name) => {
        const sql = "SELECT indisvalid, indisready FROM pg_index WHERE indexrelid = to_regclass($1)";
        const row = (await client.query(sql, [name])).rows[0];
        return row ? `valid ${row.indisvalid}, ready ${row.indisready}` : "missing";
    };

    await client.query("CREATE TABLE t (id int)");
    await client.query("INSERT INTO t VALUES (1), (1)");
    const duplicates = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_duplicate ON t (id)";
    console.log(await code(client.query(duplicates)), await state("by_duplicate"));
    await client.query("DELETE FROM t");
    console.log(await code(client.query(duplicates)), await state("by_duplicate"));

    // A snapshot of another session keeps the last phase waiting, until lock_timeout ends it.
    await client.query("CREATE TABLE u (id int)");
    await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await reader.query("SELECT 1");
    await client.query("SET lock_timeout = 300");
    const timed = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_timeout ON u (id)";
    console.log(await code(client.query(timed)), await state("by_timeout"));
    await reader.query("COMMIT");
    console.log(await code(client.query(timed)), await state("by_timeout"));
    console.log(await code(client.query("INSERT INTO u VALUES (1), (1)")));
    console.log(notices.join("; "));
    await Promise.all([client.end(), reader.end()]);
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "with duplicates" "23505 valid false, ready false" "$(sed -n 1p "$work/seen")"
expect "again, without duplicates" "none valid false, ready false" "$(sed -n 2p "$work/seen")"
expect "with a lock_timeout" "55P03 valid false, ready true" "$(sed -n 3p "$work/seen")"
expect "again, with nothing in the way" "none valid false, ready true" "$(sed -n 4p "$work/seen")"
expect "error of a duplicate under the INVALID index" 23505 "$(sed -n 5p "$work/seen")"
expect "notices" 'relation "by_duplicate" already exists, skipping; relation "by_timeout" already exists, skipping' \
    "$(sed -n 6p "$work/seen")"
as_stated "IF NOT EXISTS reports success and keeps the INVALID index"
