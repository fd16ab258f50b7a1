#!/bin/sh
# VALIDATE CONSTRAINT of a domain (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: NOT VALID and then VALIDATE CONSTRAINT do the long part without blocking writers, for a domain as for a table.
# Seen: ALTER DOMAIN .. VALIDATE CONSTRAINT takes a SHARE lock on each table that has a column of the domain, one after
# the other, and keeps all of them: it waits for each transaction that has written to one of them, and all writes to
# them wait until it has read the last. ALTER TABLE .. VALIDATE CONSTRAINT takes SHARE UPDATE EXCLUSIVE, which allows
# writes. The page of ALTER DOMAIN names no lock.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service] = [await connect(), await connect()];
    await migrating.query("CREATE DOMAIN email AS text");
    for (const table of ["users", "letters"]) await migrating.query(`CREATE TABLE ${table} (email email)`);
    for (const client of [migrating, service]) await client.query("SET lock_timeout = '200ms'");

    // The error of a change beside a writer of one table, and those of writers of both beside the change.
    const beside = async (change) => {
        await service.query("BEGIN; INSERT INTO users VALUES ('a@b')");
        const waited = await code(migrating.query(change));
        await service.query("COMMIT");
        await migrating.query("BEGIN");
        await code(migrating.query(change));
        const writes = [];
        for (const table of ["users", "letters"]) writes.push(await code(service.query(`INSERT INTO ${table} VALUES ('a@b')`)));
        await migrating.query("ROLLBACK");
        console.log(waited, ...writes);
    };
    await migrating.query("ALTER TABLE users ADD CONSTRAINT it CHECK (email ~ '@') NOT VALID");
    await beside("ALTER TABLE users VALIDATE CONSTRAINT it");
    await migrating.query("ALTER DOMAIN email ADD CONSTRAINT it CHECK (VALUE ~ '@') NOT VALID");
    await beside("ALTER DOMAIN email VALIDATE CONSTRAINT it");
    await Promise.all([migrating.end(), service.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of VALIDATE of a table beside a writer, and of writers of both tables beside it" "none none none" "$(sed -n 1p "$work/seen")"
expect "the same of VALIDATE of a domain" "55P03 55P03 55P03" "$(sed -n 2p "$work/seen")"
as_stated "validating a constraint of a domain blocks writes to every table that uses it"
