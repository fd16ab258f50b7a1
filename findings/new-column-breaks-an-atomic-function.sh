#!/bin/sh
# ADD COLUMN of a table that a function with BEGIN ATOMIC returns (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: BEGIN ATOMIC is the safer way to write a function, because the server knows what it depends on: what would
# break it fails, as DROP COLUMN does, and ADD COLUMN breaks nothing.
# Seen: `SELECT *` is stored as the columns of that moment, and RETURNS SETOF users means those of now. After ADD
# COLUMN each call fails with 42P13, for all sessions, and the ALTER TABLE says nothing. The same body as a string
# goes on and returns the new column. A dump has the stored columns, so the function is restored as one that fails;
# pg_dump turns off the check that would refuse it.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query("CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1, 'a@b')");
    await client.query("CREATE FUNCTION atomic() RETURNS SETOF users BEGIN ATOMIC SELECT * FROM users; END");
    await client.query("CREATE FUNCTION quoted() RETURNS SETOF users LANGUAGE sql AS 'SELECT * FROM users'");
    const calls = async () => {
        for (const name of ["atomic", "quoted"]) console.log(await code(client.query(`SELECT * FROM ${name}()`)));
    };
    await calls();
    console.log(await code(client.query("ALTER TABLE users DROP COLUMN email")));
    console.log(await code(client.query("ALTER TABLE users ADD COLUMN name text")));
    await calls();
    // What pg_dump writes.
    const definition = (await client.query("SELECT pg_get_functiondef('atomic'::regproc) AS sql")).rows[0].sql;
    console.log(await code(client.query(definition)));
    await client.query("SET check_function_bodies = off");
    console.log(await code(client.query(definition)));
    await calls();
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of both functions" "none none" "$(sed -n 1,2p "$work/seen" | xargs)"
expect "errors of DROP COLUMN and ADD COLUMN" "2BP01 none" "$(sed -n 3,4p "$work/seen" | xargs)"
expect "errors of the one with BEGIN ATOMIC, and of the one with a string" "42P13 none" "$(sed -n 5,6p "$work/seen" | xargs)"
expect "errors of its definition, and of that without the check of bodies" "42P13 none" "$(sed -n 7,8p "$work/seen" | xargs)"
expect "errors of both functions after it" "42P13 none" "$(sed -n 9,10p "$work/seen" | xargs)"
as_stated "ADD COLUMN succeeds, and each call of the function fails"
