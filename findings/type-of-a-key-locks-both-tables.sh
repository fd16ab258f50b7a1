#!/bin/sh
# ALTER COLUMN .. TYPE of one end of a foreign key (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: it locks the table that it names. A varchar that becomes longer rewrites nothing, so that is over at once;
# int to bigint rewrites that table, and only that.
# Seen: the foreign key is dropped and made again, at whichever end the column is. For that the other table is locked
# with ACCESS EXCLUSIVE too: a longer varchar in `users` waits for each transaction that has only read `letters`, then
# all queries of both wait, and the same the other way round. int to bigint also reads the other table, to check the
# foreign key, so its readers wait for as long as that and the rewrite take. The page of ALTER TABLE names the lock of
# its own table.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const service = await connect();
    await service.query("CREATE TABLE users (id int PRIMARY KEY, name varchar(20) UNIQUE)");
    await service.query("CREATE TABLE letters (author int REFERENCES users, name varchar(20) REFERENCES users (name))");
    await service.query("INSERT INTO users SELECT n, n FROM generate_series(1, 100) n; INSERT INTO letters SELECT * FROM users");
    await service.query("SET lock_timeout = '200ms'");

    // The errors of a change beside a reader of the other table, and of a reader beside the change; the rows of the
    // other table that the change reads.
    const change = async (sql, other) => {
        const migrating = await connect();
        await migrating.query("SET lock_timeout = '200ms'");
        await service.query(`BEGIN; SELECT FROM ${other}`);
        const waited = await code(migrating.query(`ALTER TABLE ${sql}`));
        await service.query("COMMIT");
        await migrating.query(`BEGIN; ALTER TABLE ${sql}`);
        const reader = await code(service.query(`SELECT FROM ${other}`));
        const read = await migrating.query("SELECT pg_stat_get_xact_tuples_returned($1::regclass) AS rows", [other]);
        console.log(waited, reader, read.rows[0].rows);
        await migrating.end();
    };
    await change("users ALTER name TYPE varchar(40)", "letters");
    await change("letters ALTER name TYPE varchar(40)", "users");
    await change("users ALTER id TYPE bigint", "letters");
    await change("letters ALTER author TYPE bigint", "users");
    await change("users ALTER id SET DEFAULT 0", "letters");
    await service.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="errors beside a reader of the other table, and of its reader; rows read there"
expect "$what, for a longer varchar that is referenced" "55P03 55P03 0" "$(sed -n 1p "$work/seen")"
expect "for one that references" "55P03 55P03 0" "$(sed -n 2p "$work/seen")"
expect "for int to bigint, referenced" "55P03 55P03 100" "$(sed -n 3p "$work/seen")"
expect "for int to bigint, referencing" "55P03 55P03 100" "$(sed -n 4p "$work/seen")"
expect "for SET DEFAULT" "none none 0" "$(sed -n 5p "$work/seen")"
as_stated "a new type at one end of a foreign key blocks the readers of both tables"
