#!/bin/sh
# A CHECK with a function that calls another one by its short name, at both ends of a subscription (PostgreSQL 18.4;
# node-postgres 8.23.1).
#
# Guess: where the same migrations have run at both ends, the subscriber accepts each row that the publisher has
# accepted, as an INSERT there does.
# Seen: the process that applies changes has an empty search_path, so a PL/pgSQL function that it runs finds no function
# or table of public by its short name. It fails with "function trimmed(text) does not exist", begins again, and fails
# again; nothing of any table is applied from then on. A session on either end inserts such a row without an error, so
# no test finds it. A search_path of the database or of the owner does not count. ALTER FUNCTION .. SET search_path on
# the subscriber is enough to go on. A default, an expression of an index and a trigger with ENABLE ALWAYS run in the
# same process.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c wal_level=logical -c wal_retrieve_retry_interval=100ms
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect, subscribe } = require("./client.cjs");

(async () => {
    const here = await connect();
    await here.query("CREATE DATABASE copy");
    const there = await connect({ database: "copy" });
    const both = async (sql) => {
        for (const client of [here, there]) await client.query(sql);
    };
    const count = async (table) => (await there.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;

    // Waits until the subscription has failed twice more, and returns the rows of both tables.
    const fails = async () => {
        const errors = async () => Number((await there.query("SELECT apply_error_count AS n FROM pg_stat_subscription_stats")).rows[0].n);
        const before = await errors();
        while ((await errors()) < before + 2);
        return [await count("users"), await count("orders")];
    };
    await both(`CREATE TABLE users (name text); CREATE TABLE orders (id int);
        CREATE FUNCTION trimmed(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN trim(name); END';
        CREATE FUNCTION short(name text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN length(trimmed(name)) < 9; END'`);
    await here.query("CREATE PUBLICATION p FOR TABLE users, orders");
    const caughtUp = await subscribe(here, there);
    await here.query("INSERT INTO users VALUES ('a')");
    await caughtUp();
    await both("ALTER TABLE users ADD CHECK (short(name))");
    console.log(await count("users"), await code(there.query("INSERT INTO users VALUES ('b')")));

    console.log(await code(here.query("INSERT INTO users VALUES ('c')")), await code(here.query("INSERT INTO orders VALUES (1)")));
    console.log(...(await fails()));
    await there.query("ALTER DATABASE copy SET search_path = public; ALTER ROLE postgres SET search_path = public");
    console.log(...(await fails()));
    await there.query("ALTER FUNCTION short SET search_path = public");
    await caughtUp();
    console.log(await count("users"), await count("orders"));
    await there.query("DROP SUBSCRIPTION s");
    await Promise.all([here.end(), there.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "rows of the subscriber's users before the CHECK, and error of an INSERT there after it" "1 none" "$(sed -n 1p "$work/seen")"
expect "errors of INSERTs into users and into orders on the publisher" "none none" "$(sed -n 2p "$work/seen")"
expect "rows of users and orders on the subscriber" "2 0" "$(sed -n 3p "$work/seen")"
expect "the same with a search_path of the database and the role" "2 0" "$(sed -n 4p "$work/seen")"
expect "whether the log has the error" yes "$(grep -q 'ERROR:  function trimmed(text) does not exist' "$work/log" && echo yes)"
expect "the same with a search_path of the function" "3 1" "$(sed -n 5p "$work/seen")"
as_stated "a row that both ends accept stops the subscription"
