#!/bin/sh
# Statements with IF NOT EXISTS and IF EXISTS that have nothing to do (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: where the column or the index exists, ADD COLUMN IF NOT EXISTS and CREATE INDEX IF NOT EXISTS are skipped at
# once, so a service can run such statements at each start.
# Seen: both wait for their lock before they look. CREATE INDEX IF NOT EXISTS of an index that exists waits for each
# transaction that has written to the table; ADD COLUMN IF NOT EXISTS, DROP COLUMN IF EXISTS and DROP CONSTRAINT IF
# EXISTS wait for each that has read it. Meanwhile what comes after them waits too: all writes, or all queries. CREATE
# TABLE IF NOT EXISTS, and DROP INDEX, DROP TRIGGER and DROP POLICY with IF EXISTS, look first and wait for none.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service, other, watch] = [await connect(), await connect(), await connect(), await connect()];
    await watch.query("CREATE TABLE users (email text); CREATE INDEX users_email_idx ON users (email)");
    await migrating.query("SET lock_timeout = '200ms'");

    const skipped = {
        "ADD COLUMN": "ALTER TABLE users ADD COLUMN IF NOT EXISTS email text",
        "DROP COLUMN": "ALTER TABLE users DROP COLUMN IF EXISTS phone",
        "DROP CONSTRAINT": "ALTER TABLE users DROP CONSTRAINT IF EXISTS it",
        "CREATE INDEX": "CREATE INDEX IF NOT EXISTS users_email_idx ON users (email)",
        "CREATE TABLE": "CREATE TABLE IF NOT EXISTS users (email text)",
        "DROP INDEX": "DROP INDEX IF EXISTS it",
        "DROP TRIGGER": "DROP TRIGGER IF EXISTS it ON users",
        "DROP POLICY": "DROP POLICY IF EXISTS it ON users",
    };

    // Which of them wait beside a transaction that has run this.
    const beside = async (open) => {
        await service.query("BEGIN");
        await service.query(open);
        const waiting = [];
        for (const [name, sql] of Object.entries(skipped)) {
            if ((await code(migrating.query(sql))) === "55P03") waiting.push(name);
        }
        console.log(waiting.join(", "));
        await service.query("ROLLBACK");
    };
    await beside("SELECT FROM users");
    await beside("INSERT INTO users VALUES ('a@b')");

    // What waits behind such a statement.
    await service.query("BEGIN; INSERT INTO users VALUES ('a@b')");
    await migrating.query("RESET lock_timeout");
    const index = migrating.query(skipped["CREATE INDEX"]);
    while ((await watch.query("SELECT FROM pg_locks WHERE pid = $1 AND NOT granted", [migrating.processID])).rowCount === 0);
    await other.query("SET lock_timeout = '200ms'");
    console.log(await code(other.query("SELECT FROM users")), await code(other.query("INSERT INTO users VALUES ('c@d')")));
    await service.query("COMMIT");
    await index;
    await Promise.all([migrating.end(), service.end(), other.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "statements that wait for a reader" "ADD COLUMN, DROP COLUMN, DROP CONSTRAINT" "$(sed -n 1p "$work/seen")"
expect "statements that wait for a writer" "ADD COLUMN, DROP COLUMN, DROP CONSTRAINT, CREATE INDEX" "$(sed -n 2p "$work/seen")"
expect "errors of a reader and a writer that come after CREATE INDEX" "none 55P03" "$(sed -n 3p "$work/seen")"
as_stated "what exists already waits for its lock, and blocks others meanwhile"
