#!/bin/sh
# DROP COLUMN of a table whose rows an audit table keeps as values (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: while a column of `history` has the row type of `users`, the server refuses changes of `users` that its values
# do not fit, as it does for ALTER COLUMN .. TYPE and for ADD COLUMN with a default (0A000).
# Seen: DROP COLUMN succeeds, without CASCADE and without a notice, and the value is gone from each row that `history`
# has kept, also of users that were deleted before. Of what adds or changes something, only ADD COLUMN without a default
# is accepted. ALTER TYPE .. DROP ATTRIBUTE of a composite type does the same, and does not look at unique indexes: two
# values that differ only there become equal, the index keeps both and refuses a third, and REINDEX fails with 23505. The
# pages of ALTER TABLE and ALTER TYPE mention neither.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    const value = async (sql) => (await client.query(sql)).rows.map((row) => row.it).join(" ");
    await client.query("CREATE TABLE users (id int, mail text, name text); CREATE TABLE history (old users)");
    await client.query("INSERT INTO users VALUES (1, 'a@db.example', 'a'); INSERT INTO history SELECT u FROM users u; DELETE FROM users");
    for (const change of ["ALTER id TYPE bigint", "ADD kind text DEFAULT ''", "ADD kind text", "DROP COLUMN mail"]) {
        console.log(await code(client.query(`ALTER TABLE users ${change}`)), notices.length, await value("SELECT old::text AS it FROM history"));
    }

    await client.query("CREATE TYPE version AS (major int, minor int); CREATE TABLE releases (version version UNIQUE)");
    await client.query("INSERT INTO releases VALUES ((1, 0)), ((1, 1))");
    console.log(await code(client.query("ALTER TYPE version DROP ATTRIBUTE minor")), notices.length, await value("SELECT version::text AS it FROM releases"));
    console.log(await code(client.query("INSERT INTO releases VALUES (ROW(1))")), await code(client.query("REINDEX TABLE releases")));
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="error, notices and the value in \`history\`"
expect "$what after ALTER COLUMN .. TYPE" "0A000 0 (1,a@db.example,a)" "$(sed -n 1p "$work/seen")"
expect "the same after ADD COLUMN with a default" "0A000 0 (1,a@db.example,a)" "$(sed -n 2p "$work/seen")"
expect "the same after ADD COLUMN" "none 0 (1,a@db.example,a,)" "$(sed -n 3p "$work/seen")"
expect "the same after DROP COLUMN" "none 0 (1,a,)" "$(sed -n 4p "$work/seen")"
expect "error of DROP ATTRIBUTE, notices and the values of a unique column" "none 0 (1) (1)" "$(sed -n 5p "$work/seen")"
expect "errors of a third one and of REINDEX" "23505 23505" "$(sed -n 6p "$work/seen")"
as_stated "a dropped column is gone from the stored rows too, and a unique index has duplicates"
