#!/bin/sh
# CREATE INDEX of a partitioned table that has an INVALID index on a partition (PostgreSQL 18.4; node-postgres
# 8.23.1).
#
# Guess: CREATE INDEX without CONCURRENTLY and IF NOT EXISTS builds the index, or fails.
# Seen: it uses an index that a partition has already, if that has the same columns, even one that a failed CREATE
# INDEX CONCURRENTLY left INVALID. The statement succeeds without a notice, the index of the partitioned table is
# INVALID too, and ON CONFLICT does not find it. REINDEX of the partition's index makes only that one valid; REINDEX
# of the partitioned table's index succeeds and changes nothing, as CREATE INDEX IF NOT EXISTS does. ALTER INDEX ..
# ATTACH PARTITION, of the index that is attached already, makes it valid.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    const show = async () => {
        const sql = "SELECT indexrelid::regclass AS name, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid " +
            "WHERE relname IN ('part', 'whole') ORDER BY relname";
        const { rows } = await client.query(sql);
        const upsert = await code(client.query("INSERT INTO events VALUES (7) ON CONFLICT (id) DO NOTHING"));
        console.log(rows.map((row) => `${row.name} ${row.indisvalid}`).join(", "), upsert);
    };
    await client.query("CREATE TABLE events (id int) PARTITION BY RANGE (id)");
    await client.query("CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)");
    await client.query("INSERT INTO events VALUES (1), (1)");
    console.log(await code(client.query("CREATE UNIQUE INDEX CONCURRENTLY part ON events_1 (id)")));
    await client.query("DELETE FROM events");
    console.log(await code(client.query("CREATE UNIQUE INDEX whole ON events (id)")), notices.join() || "no notice");
    await show();
    console.log(await code(client.query("REINDEX INDEX part")));
    await show();
    console.log(await code(client.query("REINDEX INDEX whole")));
    await show();
    console.log(await code(client.query("CREATE UNIQUE INDEX IF NOT EXISTS whole ON events (id)")));
    await show();
    console.log(await code(client.query("ALTER INDEX whole ATTACH PARTITION part")));
    await show();
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "error of the concurrent build on the partition" 23505 "$(sed -n 1p "$work/seen")"
expect "error and notice of CREATE UNIQUE INDEX on the partitioned table" "none no notice" "$(sed -n 2p "$work/seen")"
expect "whether the indexes are valid, and error of ON CONFLICT" "part false, whole false 42P10" "$(sed -n 3p "$work/seen")"
expect "the same after REINDEX of the partition's" "none part true, whole false 42P10" "$(sed -n 4,5p "$work/seen" | xargs)"
expect "the same after REINDEX of the partitioned table's" "none part true, whole false 42P10" "$(sed -n 6,7p "$work/seen" | xargs)"
expect "the same after CREATE INDEX IF NOT EXISTS" "none part true, whole false 42P10" "$(sed -n 8,9p "$work/seen" | xargs)"
expect "the same after ATTACH PARTITION once more" "none part true, whole true none" "$(sed -n 10,11p "$work/seen" | xargs)"
as_stated "CREATE INDEX succeeds, and its index is INVALID until it is attached again"
