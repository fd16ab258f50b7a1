#!/bin/sh
# statement_timeout that a DO block sets for itself (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a backfill in a DO block that begins with SET LOCAL statement_timeout = 0, because its role has a short one,
# runs for as long as it takes, and the loop of one that sets a short one is limited by it. SHOW agrees, and so does
# lock_timeout, which counts from there.
# Seen: the whole block is one statement, whose timer starts with the limit that the session had before, and neither
# SET LOCAL, set_config() nor the SET clause of a procedure changes it. So the block is cancelled in spite of 0, and
# one that sets a limit has none. A COMMIT inside the block does not start the timer again. As a statement before the
# block, in the same message as well, SET works.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [client, other] = [await connect(), await connect()];
    const block = (sql) => `DO $$ BEGIN ${sql}; END $$`;
    const [longer, shorter] = ["statement_timeout = 0", "statement_timeout = '200ms'"];
    await client.query("CREATE PROCEDURE backfill() LANGUAGE plpgsql SET statement_timeout = 0 AS 'BEGIN PERFORM pg_sleep(1); END'");

    await client.query("SET statement_timeout = '500ms'");
    console.log(await code(client.query(block(`SET LOCAL ${longer}; PERFORM pg_sleep(1)`))));
    console.log(await code(client.query(block("PERFORM set_config('statement_timeout', '0', true), pg_sleep(1)"))));
    console.log(await code(client.query("CALL backfill()")));
    console.log(await code(client.query(block(`SET ${longer}; COMMIT; PERFORM pg_sleep(1)`))));
    console.log(await code(client.query(`SET LOCAL ${longer}; ${block("PERFORM pg_sleep(1)")}`)));

    await client.query("SET statement_timeout = 0");
    console.log(await code(client.query(block(`SET LOCAL ${shorter}; PERFORM pg_sleep(1)`))));
    await other.query("CREATE TABLE t ()");
    await other.query("BEGIN; LOCK TABLE t");
    console.log(await code(client.query(block("SET LOCAL lock_timeout = '200ms'; LOCK TABLE t"))));
    await Promise.all([client.end(), other.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors beyond the session's limit after SET LOCAL and set_config() of 0 in the block" "57014 57014" "$(sed -n 1,2p "$work/seen" | xargs)"
expect "errors of a procedure with SET, and of a block with SET and COMMIT" "57014 57014" "$(sed -n 3,4p "$work/seen" | xargs)"
expect "error with SET LOCAL before the block, in its message" none "$(sed -n 5p "$work/seen")"
expect "error beyond a limit that the block sets" none "$(sed -n 6p "$work/seen")"
expect "error of a block that sets lock_timeout" 55P03 "$(sed -n 7p "$work/seen")"
as_stated "a DO block is limited by the statement_timeout from before it"
