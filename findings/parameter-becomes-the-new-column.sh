#!/bin/sh
# ADD COLUMN of a name that a parameter of a function has (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a nullable column that no program knows changes no query that exists.
# Seen: the text of a function is read again with the new column. In SQL a column comes before a parameter, so `WHERE
# tenant_id = tenant` compares two columns from then on: the function returns another result, without an error. In
# PL/pgSQL each call fails with 42702, also in sessions that have run it before. A function with BEGIN ATOMIC, and a
# parameter written as total.tenant or $1, keep their meaning.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query("CREATE TABLE orders (tenant_id int, price int); INSERT INTO orders VALUES (1, 10), (2, 20), (2, 30)");
    const query = "SELECT sum(price) FROM orders WHERE tenant_id = ";
    const bodies = {
        quoted: `LANGUAGE sql AS '${query} tenant'`,
        qualified: `LANGUAGE sql AS '${query} qualified.tenant'`,
        plpgsql: `LANGUAGE plpgsql AS 'BEGIN RETURN (${query} tenant); END'`,
        atomic: `BEGIN ATOMIC ${query} tenant; END`,
    };
    for (const [name, body] of Object.entries(bodies)) await client.query(`CREATE FUNCTION ${name}(tenant int) RETURNS bigint ${body}`);
    const calls = async () => {
        const seen = [];
        for (const name of Object.keys(bodies)) {
            seen.push(await client.query(`SELECT ${name}(2) AS sum`).then(({ rows }) => rows[0].sum, (error) => error.code));
        }
        console.log(...seen);
    };
    await calls();
    await client.query("ALTER TABLE orders ADD COLUMN tenant int");
    await calls();
    await client.query("UPDATE orders SET tenant = tenant_id");
    await calls();
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "sums of tenant 2 by SQL, with the qualified name, by PL/pgSQL, by BEGIN ATOMIC" "50 50 50 50" "$(sed -n 1p "$work/seen")"
expect "the same after ADD COLUMN" "null 50 42702 50" "$(sed -n 2p "$work/seen")"
expect "the same after the new column is filled" "60 50 42702 50" "$(sed -n 3p "$work/seen")"
as_stated "the parameter is the new column, without an error in SQL"
