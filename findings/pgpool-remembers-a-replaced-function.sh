#!/bin/sh
# A function that a migration replaces by one that writes, called through Pgpool-II with a standby (Pgpool-II 4.3.5 of
# Debian 12, streaming replication with load balancing; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: Pgpool-II asks the catalog whether a function is VOLATILE, so one that begins to write, and is VOLATILE from
# then on, is sent to the primary, at least on a new connection.
# Seen: it keeps the first answer for each name and for all clients, with the default relcache_expire = 0 for as long
# as it runs. A SELECT of the function goes to the standby and fails with 25006, also on a new connection, and also if
# the function was dropped and created again. Directly, or under another name, the same function works. The manual
# warns of relcache_expire after ALTER TABLE, not after a change of a function.
set -eu
. "$(dirname "$0")/lib/setup.sh"

start_pgpool_with_standby
install_client
cat >"$work/run.cjs" <<'JS'
const { connect, replayed } = require("./client.cjs");

(async () => {
    const [pooler, standby] = process.argv.slice(2);
    const through = { host: pooler, port: 9999 };
    const [direct, replica, pooled] = [await connect(), await connect({ host: standby }), await connect(through)];
    const migrate = async (sql) => {
        await direct.query(sql);
        await replayed(direct, replica);
    };

    // What a call returns or its error: through Pgpool-II, there on a new connection, and directly.
    const show = async (name) => {
        const fresh = await connect(through);
        const seen = [];
        for (const client of [pooled, fresh, direct]) {
            seen.push(await client.query(`SELECT ${name}() AS it`).then(({ rows }) => rows[0].it, (error) => error.code));
        }
        await fresh.end();
        console.log(...seen);
    };
    const writes = "RETURNS text VOLATILE LANGUAGE sql AS 'INSERT INTO calls VALUES (1) RETURNING CASE WHEN pg_is_in_recovery() THEN ''standby'' ELSE ''primary'' END'";
    await migrate("CREATE TABLE calls (id int)");
    await migrate("CREATE FUNCTION price() RETURNS text STABLE LANGUAGE sql AS 'SELECT CASE WHEN pg_is_in_recovery() THEN ''standby'' ELSE ''primary'' END'");
    await show("price");
    await migrate(`CREATE OR REPLACE FUNCTION price() ${writes}`);
    await show("price");
    await migrate(`DROP FUNCTION price(); CREATE FUNCTION price() ${writes}`);
    await show("price");
    await migrate(`CREATE FUNCTION new_price() ${writes}`);
    await show("new_price");
    await Promise.all([direct.end(), replica.end(), pooled.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" "$standby" >"$work/seen"
what="server that a call runs on, or its error: through Pgpool-II, on a new connection to it, and directly"
expect "$what" "standby standby primary" "$(sed -n 1p "$work/seen")"
expect "the same once the function writes" "25006 25006 primary" "$(sed -n 2p "$work/seen")"
expect "the same once it is dropped and created again" "25006 25006 primary" "$(sed -n 3p "$work/seen")"
expect "the same under another name" "primary primary primary" "$(sed -n 4p "$work/seen")"
as_stated "a function that writes since it was replaced is still sent to the standby"
