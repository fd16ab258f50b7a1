#!/bin/sh
# CREATE OR REPLACE TRIGGER of a trigger that is disabled, or enabled for replication (PostgreSQL 18.4; node-postgres
# 8.23.1).
#
# Guess: what ALTER TABLE has set for the trigger is kept, as CREATE OR REPLACE RULE keeps it for a rule.
# Seen: the trigger is enabled as a new one is, without a notice. One that was disabled fires again. One with ENABLE
# ALWAYS no longer fires for the rows that a subscription applies, so an audit of them ends; one with ENABLE REPLICA
# fires for all rows but those. The trigger's comment is kept. The page of CREATE TRIGGER does not mention it.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query("CREATE TABLE orders (id int); CREATE TABLE audit (id int)");
    await client.query("CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END'");
    const trigger = "CREATE OR REPLACE TRIGGER audit AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit()";
    const rule = "CREATE OR REPLACE RULE audit AS ON DELETE TO orders DO ALSO SELECT 1";
    await client.query(trigger);
    await client.query(rule);
    await client.query("COMMENT ON TRIGGER audit ON orders IS 'of 2024'");

    // The states of the trigger and of the rule, the trigger's comment, and whether it fires in a session of a service
    // and in one that applies the rows of a subscription.
    const show = async () => {
        const sql = `SELECT tgenabled, ev_enabled, obj_description(t.oid) AS comment FROM pg_trigger t, pg_rewrite
            WHERE tgname = 'audit' AND rulename = 'audit'`;
        const seen = Object.values((await client.query(sql)).rows[0]);
        for (const role of ["origin", "replica"]) {
            await client.query(`SET session_replication_role = ${role}`);
            await client.query("TRUNCATE audit; INSERT INTO orders VALUES (1)");
            seen.push((await client.query("SELECT FROM audit")).rowCount);
        }
        await client.query("RESET session_replication_role");
        console.log(...seen);
    };
    for (const state of ["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA"]) {
        await client.query(`ALTER TABLE orders ${state} TRIGGER audit, ${state} RULE audit`);
        await show();
        await client.query(trigger);
        await client.query(rule);
        await show();
    }
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="state of the trigger and the rule, comment, fires for a service and for a subscription"
expect "$what, disabled" "D D of 2024 0 0" "$(sed -n 1p "$work/seen")"
expect "the same once both are replaced" "O D of 2024 1 0" "$(sed -n 2p "$work/seen")"
expect "the same with ENABLE ALWAYS" "A A of 2024 1 1" "$(sed -n 3p "$work/seen")"
expect "the same once both are replaced" "O A of 2024 1 0" "$(sed -n 4p "$work/seen")"
expect "the same with ENABLE REPLICA" "R R of 2024 0 1" "$(sed -n 5p "$work/seen")"
expect "the same once both are replaced" "O R of 2024 1 0" "$(sed -n 6p "$work/seen")"
as_stated "a trigger that is replaced is enabled as a new one"
