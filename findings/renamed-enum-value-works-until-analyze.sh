#!/bin/sh
# ALTER TYPE .. RENAME VALUE beside sessions that use the old name (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: as soon as the value has another name, each statement with the old one fails, so a service that was forgotten
# is seen at once.
# Seen: a session that has prepared a statement with the old name, or has run a PL/pgSQL function with it, goes on to
# use it, although the same statement as text fails in that session with 22P02. It ends when the statement is parsed
# again: after a reconnect, or an ANALYZE of its table, so mostly when autovacuum next works there, and then in all
# sessions at once. The new name fails in no session.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c autovacuum=off
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, running] = [await connect(), await connect()];
    await migrating.query("CREATE TYPE state AS ENUM ('new', 'done'); CREATE TABLE orders (id int, state state)");
    await migrating.query("CREATE FUNCTION waiting() RETURNS bigint LANGUAGE plpgsql AS " +
        "$$ BEGIN RETURN (SELECT count(*) FROM orders WHERE state = 'new'); END $$");
    const text = "SELECT id FROM orders WHERE state = 'new'";
    const errors = async (client) => [
        await code(client.query({ name: "waiting", text })),
        await code(client.query("SELECT waiting()")),
        await code(client.query(text)),
    ].join();
    console.log(await errors(running));
    await migrating.query("ALTER TYPE state RENAME VALUE 'new' TO 'open'");
    const fresh = await connect();
    console.log(await errors(running), await errors(fresh));
    console.log(await code(running.query("SELECT id FROM orders WHERE state = 'open'")));
    await migrating.query("ANALYZE orders");
    console.log(await errors(running));
    await Promise.all([migrating, running, fresh].map((client) => client.end()));
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of a prepared statement, a function and the statement as text, before" "none,none,none" "$(sed -n 1p "$work/seen")"
expect "the same after, in the same session and in a new one" "none,none,22P02 22P02,22P02,22P02" "$(sed -n 2p "$work/seen")"
expect "error of the new name in the first session" none "$(sed -n 3p "$work/seen")"
expect "the same in the first session after ANALYZE" "22P02,22P02,22P02" "$(sed -n 4p "$work/seen")"
as_stated "the old name works in running sessions until their table is analyzed"
