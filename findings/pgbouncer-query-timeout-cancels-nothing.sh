#!/bin/sh
# A statement that is longer than PgBouncer's query_timeout (PgBouncer 1.18.0 of Debian 12, node-postgres 8.23.1;
# PostgreSQL 18.4).
#
# Guess: "Queries running longer than that are canceled", as its documentation says, so a migration that waits for a
# lock for too long is undone, as with statement_timeout, and can be tried again.
# Seen: PgBouncer closes both connections and sends no cancel. The server notices that only when it has something to
# send, which is when the statement is over: an ALTER TABLE goes on to wait, blocks all that come after it, and commits
# once it has its lock, although its client was given an error. Each new try is one more session that waits, also
# beyond default_pool_size, and all of them commit: of an UPDATE that is tried three times each counts. A message that
# ends with its own COMMIT commits too; only what a COMMIT in a later message would end is undone.
# client_connection_check_interval on the server ends the statement, also while it waits for a lock.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
start_pgbouncer "pool_mode = transaction" "query_timeout = 1" "default_pool_size = 1"
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const [direct, writer] = [await connect(), await connect()];
    const waiting = async () => (await direct.query("SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted")).rows[0].n;

    // The errors of three tries through PgBouncer while another transaction holds a lock, the sessions that wait after
    // them, and what the table has once that is released.
    const tries = async (messages, settled = async () => true) => {
        await direct.query("CREATE TABLE jobs AS SELECT 0 AS n");
        await writer.query("BEGIN; UPDATE jobs SET n = n");
        const errors = [];
        for (let n = 0; n < 3; n++) {
            const client = await connect({ host: process.argv[2], port: 6432, database: "postgres" });
            client.on("error", () => {});
            const run = async () => {
                for (const message of messages) await client.query(message);
            };
            errors.push(await run().then(() => "none", (error) => error.message.replace("query timeout", "timeout")));
        }
        while (!(await settled()));
        const left = await waiting();
        await writer.query("COMMIT");
        const active = "SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        while ((await direct.query(active)).rowCount > 0);
        const { rows, fields } = await direct.query("SELECT * FROM jobs");
        console.log(...errors, left, ...fields.map((field) => field.name), rows[0].n);
        await direct.query("DROP TABLE jobs");
    };
    await tries(["ALTER TABLE jobs ADD COLUMN IF NOT EXISTS done bool"]);
    await tries(["UPDATE jobs SET n = n + 1"]);
    await tries(["BEGIN; UPDATE jobs SET n = n + 1; COMMIT"]);
    await tries(["BEGIN", "UPDATE jobs SET n = n + 1", "COMMIT"]);
    await direct.query("ALTER SYSTEM SET client_connection_check_interval = '100ms'");
    await direct.query("SELECT pg_reload_conf()");
    await tries(["UPDATE jobs SET n = n + 1"], async () => (await waiting()) === 0);
    await Promise.all([direct.end(), writer.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" >"$work/seen"
what="errors of three tries, sessions that wait after them, columns and n once the lock is free"
expect "$what, of an ALTER TABLE" "timeout timeout timeout 3 n done 0" "$(sed -n 1p "$work/seen")"
expect "the same of an UPDATE that adds 1 to n" "timeout timeout timeout 3 n 3" "$(sed -n 2p "$work/seen")"
expect "the same with BEGIN and COMMIT in its message" "timeout timeout timeout 3 n 3" "$(sed -n 3p "$work/seen")"
expect "the same with each in a message of its own" "timeout timeout timeout 3 n 0" "$(sed -n 4p "$work/seen")"
expect "the second with client_connection_check_interval" "timeout timeout timeout 0 n 0" "$(sed -n 5p "$work/seen")"
as_stated "a statement that PgBouncer calls cancelled goes on, holds its place in the queue and commits"
