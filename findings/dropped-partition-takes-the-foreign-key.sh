#!/bin/sh
# DROP TABLE .. CASCADE of one partition of a table that others reference (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a partition that nothing references any more is dropped like an empty table. If the server asks for CASCADE,
# that removes what the foreign key has for this partition, as it removes the partition's indexes.
# Seen: DROP TABLE fails with 2BP01, also if the partition has no rows, and its hint is CASCADE. That drops the whole
# foreign key of each table that references the partitioned one: from then on rows of all other partitions can be
# deleted, and any number inserted, without an error. There is one notice. DETACH PARTITION, which fails if a row is
# still referenced, and then DROP TABLE keep the foreign key.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query("CREATE TABLE orders (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    for (const n of [0, 1, 2]) await client.query(`CREATE TABLE orders_${n} PARTITION OF orders FOR VALUES FROM (${n}0) TO (${n + 1}0)`);
    await client.query("CREATE TABLE lines (order_id int REFERENCES orders)");
    await client.query("INSERT INTO orders VALUES (25); INSERT INTO lines VALUES (25)");

    // The errors of a line of no order, and of deleting the order of a line.
    const enforced = async () => [
        await code(client.query("BEGIN; INSERT INTO lines VALUES (29); COMMIT")),
        await code(client.query("ROLLBACK; BEGIN; DELETE FROM orders WHERE id = 25; COMMIT")),
        await code(client.query("ROLLBACK")),
    ].slice(0, 2);
    console.log(await code(client.query("DROP TABLE orders_0")));
    console.log(await code(client.query("ALTER TABLE orders DETACH PARTITION orders_2")));
    console.log(await code(client.query("ALTER TABLE orders DETACH PARTITION orders_0")), await code(client.query("DROP TABLE orders_0")));
    console.log(...(await enforced()));
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    console.log(await code(client.query("DROP TABLE orders_1 CASCADE")), notices.join("; "));
    console.log(...(await enforced()));
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "error of DROP TABLE of an empty partition" 2BP01 "$(sed -n 1p "$work/seen")"
expect "error of DETACH PARTITION of one with a referenced row" 23503 "$(sed -n 2p "$work/seen")"
expect "errors of DETACH PARTITION and DROP TABLE of an empty one" "none none" "$(sed -n 3p "$work/seen")"
expect "errors of a line without an order, and of deleting an order with one" "23503 23503" "$(sed -n 4p "$work/seen")"
expect "error and notice of DROP TABLE CASCADE of another empty one" \
    "none drop cascades to constraint lines_order_id_fkey on table lines" "$(sed -n 5p "$work/seen")"
expect "the two errors after it" "none none" "$(sed -n 6p "$work/seen")"
as_stated "CASCADE of one empty partition ends the foreign key for all"
