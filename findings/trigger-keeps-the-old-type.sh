#!/bin/sh
# A trigger function of a column that changes from int to bigint, in sessions that have run it before (PostgreSQL 18.4;
# node-postgres 8.23.1).
#
# Guess: after ALTER TABLE .. TYPE bigint, every session plans anew: what is cached is invalidated.
# Seen: each session in which the trigger has run keeps the type that NEW.n had there. From then on each INSERT and each
# UPDATE of the table fails there with 42804, for as long as the connection lives; a new connection works. So behind a
# pool a part of the requests fails after the migration, and the migration's own tests, on a new connection, do not.
# The manual says that the types must not change. DISCARD PLANS in each session helps, and so does CREATE OR REPLACE
# FUNCTION with the same text, once for all sessions.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, pooled, other] = [await connect(), await connect(), await connect()];
    const define = "CREATE OR REPLACE FUNCTION add_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := NEW.n + 1; RETURN NEW; END $$";
    await migrating.query("CREATE TABLE counters (n int, note text)");
    await migrating.query(define);
    await migrating.query("CREATE TRIGGER add_one BEFORE INSERT OR UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION add_one()");
    const insert = async (client) => code(client.query("INSERT INTO counters VALUES (1)"));
    console.log(await insert(pooled), await insert(other));
    await migrating.query("ALTER TABLE counters ALTER n TYPE bigint");
    const fresh = await connect();
    console.log(await insert(pooled), await insert(pooled), await code(pooled.query("UPDATE counters SET note = ''")), await insert(fresh));
    await other.query("DISCARD PLANS");
    console.log(await insert(pooled), await insert(other));
    await migrating.query(define);
    console.log(await insert(pooled));
    await Promise.all([migrating, pooled, other, fresh].map((client) => client.end()));
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of an INSERT in two sessions before the change" "none none" "$(sed -n 1p "$work/seen")"
expect "after it, two INSERTs and an UPDATE in the first session, and an INSERT in a new one" "42804 42804 42804 none" "$(sed -n 2p "$work/seen")"
expect "in the first session, and in the second after DISCARD PLANS" "42804 none" "$(sed -n 3p "$work/seen")"
expect "in the first session after CREATE OR REPLACE FUNCTION in another" none "$(sed -n 4p "$work/seen")"
as_stated "a session that has run the trigger before fails until it reconnects"
