#!/bin/sh
# A generated column whose expression fails for a row (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: ADD COLUMN computes the column for each row, so if the expression fails for one, the migration fails, and
# later the INSERT of such a row, as it is with every generated column before 18.
# Seen: that is so with STORED. Without that word, which was a syntax error before 18, the column is VIRTUAL: ADD
# COLUMN reads no row and succeeds, and so does each INSERT and UPDATE. What fails, with 22012 for a division, is each
# SELECT * of the table that reaches such a row. One row that the old service writes is enough, and the migration's
# tests pass on an empty table. NOT NULL of the column computes the column for all rows once, and for each that is
# written.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const statements = ["INSERT INTO orders VALUES (5, 0)", "UPDATE orders SET total = 6", "SELECT total FROM orders", "SELECT * FROM orders"];
    const column = "ADD COLUMN each int GENERATED ALWAYS AS (total / pieces)";
    for (const [rows, change] of [
        ["(5, 0)", `${column} STORED`], ["(5, 0)", column], ["(5, 0)", `${column} NOT NULL`],
        ["(5, 1)", `${column} STORED`], ["(5, 1)", column], ["(5, 1)", `${column} NOT NULL`],
    ]) {
        await client.query(`CREATE TABLE orders (total int, pieces int); INSERT INTO orders VALUES ${rows}`);
        const seen = [await code(client.query(`ALTER TABLE orders ${change}`))];
        for (const sql of statements) seen.push(await code(client.query(sql)));
        console.log(...seen);
        await client.query("DROP TABLE orders");
    }
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="errors of ADD COLUMN, INSERT, UPDATE, SELECT of another column and SELECT *"
expect "$what, with STORED on a row that it fails for" "22012 none none none none" "$(sed -n 1p "$work/seen")"
expect "without STORED on such a row" "none none none none 22012" "$(sed -n 2p "$work/seen")"
expect "with NOT NULL on such a row" "22012 none none none none" "$(sed -n 3p "$work/seen")"
expect "with STORED on another row" "none 22012 none none none" "$(sed -n 4p "$work/seen")"
expect "without STORED on another row" "none none none none 22012" "$(sed -n 5p "$work/seen")"
expect "with NOT NULL on another row" "none 22012 none none none" "$(sed -n 6p "$work/seen")"
as_stated "a column that is virtual by default fails where it is read, not where it is added or written"
