#!/bin/sh
# ATTACH PARTITION of a table that has the unique index already (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: ATTACH PARTITION uses an equivalent index of the table, as its page says, so a CREATE UNIQUE INDEX
# CONCURRENTLY before it saves the build under its lock.
# Seen: that is so where the partitioned table has a unique index. Where it has a UNIQUE constraint or a primary key,
# an index that belongs to no constraint does not count: ATTACH PARTITION builds a second one of the same columns under
# an ACCESS EXCLUSIVE lock of the partition, without a notice, and each later write maintains both. ADD CONSTRAINT ..
# USING INDEX before it makes the first one count.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();

    // The indexes of a table that had `own` before it was attached.
    const show = async (parent, prepare) => {
        await client.query("CREATE TABLE orders (id int NOT NULL, day date NOT NULL) PARTITION BY RANGE (day)");
        await client.query(parent);
        await client.query("CREATE TABLE today (LIKE orders)");
        await client.query("CREATE UNIQUE INDEX CONCURRENTLY own ON today (id, day)");
        if (prepare) await client.query(prepare);
        await client.query("ALTER TABLE orders ATTACH PARTITION today FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')");
        const indexes = `SELECT string_agg(i.indexrelid::regclass || CASE WHEN EXISTS
            (SELECT FROM pg_inherits WHERE inhrelid = indexrelid) THEN ' attached' ELSE '' END, ', ' ORDER BY indexrelid) AS text
            FROM pg_index i WHERE indrelid = 'today'::regclass`;
        console.log((await client.query(indexes)).rows[0].text);
        await client.query("DROP TABLE orders");
    };
    await show("CREATE UNIQUE INDEX ON orders (id, day)");
    await show("ALTER TABLE orders ADD UNIQUE (id, day)");
    await show("ALTER TABLE orders ADD PRIMARY KEY (id, day)");
    await show("ALTER TABLE orders ADD UNIQUE (id, day)", "ALTER TABLE today ADD CONSTRAINT own UNIQUE USING INDEX own");
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
what="indexes of a partition that had one of the same columns"
expect "$what, under a unique index" "own attached" "$(sed -n 1p "$work/seen")"
expect "the same under a UNIQUE constraint" "own, today_id_day_key attached" "$(sed -n 2p "$work/seen")"
expect "the same under a primary key" "own, today_pkey attached" "$(sed -n 3p "$work/seen")"
expect "the same under a UNIQUE constraint, where the index is one too" "own attached" "$(sed -n 4p "$work/seen")"
as_stated "ATTACH PARTITION builds a unique index that the table has already"
