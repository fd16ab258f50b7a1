#!/bin/sh
# CREATE TABLE .. PARTITION OF a table with a foreign key (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a new partition locks the partitioned table, and ATTACH PARTITION hardly that, as the page of ALTER TABLE
# says.
# Seen: the partition gets its own copy of each foreign key, and for that both statements also take a SHARE ROW
# EXCLUSIVE lock on each table that is referenced. So a job that creates tomorrow's partition of `orders` waits for
# each transaction that has written to `users`, and from then until its own transaction ends all writes to `users` wait
# for it.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service] = [await connect(), await connect()];
    await migrating.query("CREATE TABLE users (id int PRIMARY KEY, name text)");
    await migrating.query("CREATE TABLE orders (day date NOT NULL, buyer int REFERENCES users) PARTITION BY RANGE (day)");
    await migrating.query("CREATE TABLE later (LIKE orders)");
    for (const client of [migrating, service]) await client.query("SET lock_timeout = '200ms'");

    // The errors of a change beside a writer and a reader of users, and those of a reader and a writer of users beside the change.
    for (const change of [
        "CREATE TABLE today PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')",
        "ALTER TABLE orders ATTACH PARTITION later FOR VALUES FROM ('2024-01-02') TO ('2024-01-03')",
        "CREATE TABLE alone (LIKE orders)",
    ]) {
        const seen = [];
        for (const beside of ["INSERT INTO users VALUES (1)", "SELECT FROM users"]) {
            await service.query("BEGIN");
            await service.query(beside);
            await migrating.query("BEGIN");
            seen.push(await code(migrating.query(change)));
            await migrating.query("ROLLBACK");
            await service.query("ROLLBACK");
        }
        await migrating.query("BEGIN");
        await migrating.query(change);
        for (const sql of ["SELECT FROM users", "INSERT INTO users VALUES (1)"]) seen.push(await code(service.query(sql)));
        await migrating.query("ROLLBACK");
        console.log(...seen);
    }
    await Promise.all([migrating.end(), service.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="errors beside a writer and a reader of what is referenced, and of a reader and a writer of it meanwhile"
expect "$what, of CREATE TABLE PARTITION OF" "55P03 none none 55P03" "$(sed -n 1p "$work/seen")"
expect "the same of ATTACH PARTITION" "55P03 none none 55P03" "$(sed -n 2p "$work/seen")"
expect "the same of a table that is not attached" "none none none none" "$(sed -n 3p "$work/seen")"
as_stated "a new partition waits for writers of what it references, and blocks them"
