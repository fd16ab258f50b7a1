#!/bin/sh
# DROP TABLE of a table with a foreign key (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: DROP TABLE locks the table that it drops, so one that no program uses any more can be dropped at any time.
# Seen: it also takes an ACCESS EXCLUSIVE lock on each table that its foreign keys reference. A transaction that has
# only read `users` blocks the DROP TABLE of `old_orders`, and while that waits, every new query of `users` waits too.
# DROP COLUMN and DROP CONSTRAINT of a foreign key do the same. TRUNCATE does not.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [reader, migrating, service, watch] = [await connect(), await connect(), await connect(), await connect()];
    await migrating.query("CREATE TABLE users (id int PRIMARY KEY)");
    await migrating.query("CREATE TABLE old_orders (id int, buyer int CONSTRAINT buyer REFERENCES users)");
    await migrating.query("CREATE TABLE old_tags (id int)");
    await reader.query("BEGIN");
    await reader.query("SELECT FROM users");

    await migrating.query("SET lock_timeout = '100ms'");
    const change = (what) => code(migrating.query(what));
    console.log(await change("DROP TABLE old_tags"), await change("TRUNCATE old_orders"));
    console.log(await change("DROP TABLE old_orders"));
    console.log(await change("ALTER TABLE old_orders DROP COLUMN buyer"));
    console.log(await change("ALTER TABLE old_orders DROP CONSTRAINT buyer"));

    await migrating.query("SET lock_timeout = 0");
    const drop = change("DROP TABLE old_orders");
    const waits = "SELECT mode FROM pg_locks WHERE pid = $1 AND relation = 'users'::regclass AND NOT granted";
    let lock;
    while ((lock = await watch.query(waits, [migrating.processID])).rowCount === 0);
    await service.query("SET lock_timeout = '100ms'");
    console.log(lock.rows[0].mode, await code(service.query("SELECT FROM users")));
    await reader.query("COMMIT");
    console.log(await drop, await code(service.query("SELECT FROM users")));
    await Promise.all([reader.end(), migrating.end(), service.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of DROP TABLE without a foreign key, and of TRUNCATE, while \`users\` is read" "none none" "$(sed -n 1p "$work/seen")"
expect "error of DROP TABLE of a table that references \`users\`" 55P03 "$(sed -n 2p "$work/seen")"
expect "error of DROP COLUMN of the reference" 55P03 "$(sed -n 3p "$work/seen")"
expect "error of DROP CONSTRAINT of the reference" 55P03 "$(sed -n 4p "$work/seen")"
expect "lock that DROP TABLE waits for, and error of a SELECT meanwhile" "AccessExclusiveLock 55P03" "$(sed -n 5p "$work/seen")"
expect "both after the reader's transaction" "none none" "$(sed -n 6p "$work/seen")"
as_stated "dropping an unused table blocks the table that it references"
