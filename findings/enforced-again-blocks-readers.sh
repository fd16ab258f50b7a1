#!/bin/sh
# A foreign key that is NOT ENFORCED and becomes ENFORCED, which is new in 18 (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: NOT ENFORCED and then ENFORCED is a way to add a foreign key to a large table, as NOT VALID and then VALIDATE
# CONSTRAINT is.
# Seen: ALTER CONSTRAINT .. ENFORCED reads the whole table under an ACCESS EXCLUSIVE lock, so it blocks readers too,
# which ADD FOREIGN KEY does not. There is no second step to leave the reading to: ENFORCED NOT VALID is refused, and
# so is VALIDATE CONSTRAINT before it. DROP CONSTRAINT and ADD CONSTRAINT .. NOT VALID in one ALTER TABLE read nothing,
# so they, and VALIDATE CONSTRAINT, are the way back for a large table.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service] = [await connect(), await connect()];
    await migrating.query("CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (buyer int)");
    await service.query("SET lock_timeout = '200ms'");
    const key = "FOREIGN KEY (buyer) REFERENCES users";
    const reads = async () => (await migrating.query("SELECT coalesce(max(seq_scan), 0)::int AS n FROM pg_stat_xact_user_tables WHERE relname = 'orders'")).rows[0].n;

    // The error of a change, whether it reads the orders, and the errors of a reader and a writer of orders beside it.
    const show = async (prepare, change) => {
        await migrating.query(prepare);
        await migrating.query("BEGIN");
        const before = await reads();
        const failed = await code(migrating.query(change));
        const seen = [failed];
        if (failed === "none") {
            seen.push((await reads()) - before);
            for (const sql of ["SELECT FROM orders", "INSERT INTO orders VALUES (NULL)"]) seen.push(await code(service.query(sql)));
        }
        await migrating.query("ROLLBACK; ALTER TABLE orders DROP CONSTRAINT IF EXISTS it");
        console.log(...seen);
    };
    await show("", `ALTER TABLE orders ADD CONSTRAINT it ${key}`);
    await show(`ALTER TABLE orders ADD CONSTRAINT it ${key} NOT VALID`, "ALTER TABLE orders VALIDATE CONSTRAINT it");
    const off = `ALTER TABLE orders ADD CONSTRAINT it ${key} NOT ENFORCED`;
    await show(off, "ALTER TABLE orders ALTER CONSTRAINT it ENFORCED");
    await show(off, "ALTER TABLE orders ALTER CONSTRAINT it ENFORCED NOT VALID");
    await show(off, "ALTER TABLE orders VALIDATE CONSTRAINT it");
    await show(off, `ALTER TABLE orders DROP CONSTRAINT it, ADD CONSTRAINT it ${key} NOT VALID`);
    await Promise.all([migrating.end(), service.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="error, reads of the table, errors of a reader and a writer meanwhile"
expect "$what, of ADD FOREIGN KEY" "none 1 none 55P03" "$(sed -n 1p "$work/seen")"
expect "the same of VALIDATE CONSTRAINT" "none 1 none none" "$(sed -n 2p "$work/seen")"
expect "the same of ALTER CONSTRAINT ENFORCED" "none 1 55P03 55P03" "$(sed -n 3p "$work/seen")"
expect "error of ALTER CONSTRAINT ENFORCED NOT VALID" 0A000 "$(sed -n 4p "$work/seen")"
expect "error of VALIDATE CONSTRAINT of one that is not enforced" 55000 "$(sed -n 5p "$work/seen")"
expect "the first of DROP CONSTRAINT and ADD CONSTRAINT NOT VALID" "none 0 55P03 55P03" "$(sed -n 6p "$work/seen")"
as_stated "ENFORCED reads the table and blocks its readers, and NOT VALID cannot save that"
