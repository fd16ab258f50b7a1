#!/bin/sh
# A UNIQUE constraint of the columns of the primary key (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a table has each constraint of its CREATE TABLE, or there is an error; the same two statements one after
# the other, CREATE TABLE and ADD CONSTRAINT, make the same table.
# Seen: CREATE TABLE makes one constraint of the two without a notice: the primary key, under the name that was
# written for the UNIQUE. ADD CONSTRAINT makes both. So a table that has both cannot be written as one CREATE TABLE.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

(async () => {
    const client = new Client();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    await client.connect();
    const constraints = async (table) => {
        const sql = "SELECT string_agg(conname || ' ' || contype::text, ',' ORDER BY conname) AS v FROM pg_constraint " +
            "WHERE conrelid = $1::regclass AND contype IN ('p', 'u')";
        return (await client.query(sql, [table])).rows[0].v;
    };
    await client.query("CREATE TABLE one (id int PRIMARY KEY, CONSTRAINT again UNIQUE (id))");
    console.log(await constraints("one"));
    console.log(notices.join() || "none");
    await client.query("CREATE TABLE two (id int PRIMARY KEY)");
    await client.query("ALTER TABLE two ADD CONSTRAINT once_more UNIQUE (id)");
    console.log(await constraints("two"));
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "constraints of one CREATE TABLE" "again p" "$(sed -n 1p "$work/seen")"
expect "notices" none "$(sed -n 2p "$work/seen")"
expect "constraints of two statements" "once_more u,two_pkey p" "$(sed -n 3p "$work/seen")"
as_stated "the UNIQUE is gone, and the primary key has its name"
