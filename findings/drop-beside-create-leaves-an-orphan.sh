#!/bin/sh
# DROP of a schema, a type or a function that an open transaction has begun to use (PostgreSQL 15.18; PostgreSQL 15.20
# and pg_dump 15.20 of Debian 12's security archive; node-postgres 8.23.1).
#
# Guess: DDL is transactional, so a DROP waits for the transaction that uses the object, or one of the two fails; and a
# minor release changes nothing about which locks a statement takes.
# Seen: in 15.18 a DROP waits only for tables. DROP TYPE and DROP FUNCTION do not wait for a CREATE TABLE
# with that type or default, nor DROP SCHEMA for a CREATE FUNCTION. All succeed and commit. Each query of the table then
# fails with "cache lookup failed", each INSERT with the default as well; the function is in no schema, cannot be called
# or dropped, and pg_dump of the database fails. Two migrations that run at once can leave that, each without an error.
# In 15.20 each of these waits, so what never waited before can time out after the minor update.
set -eu
. "$(dirname "$0")/lib/setup.sh"

unpack_15_20
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [creating, dropping] = [await connect(), await connect()];
    await dropping.query("SET lock_timeout = '300ms'");
    await dropping.query("CREATE SCHEMA shop; CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION nr() RETURNS int RETURN 1");

    // The errors of a DROP beside a transaction that creates something, and of that one's COMMIT.
    const race = async (create, drop) => {
        await creating.query("BEGIN");
        await creating.query(create);
        console.log(await code(dropping.query(drop)), await code(creating.query("COMMIT")));
    };
    await race("CREATE TABLE shop.orders (id int)", "DROP SCHEMA shop");
    await dropping.query("DROP TABLE shop.orders");
    await race("CREATE TABLE people (id int, mood mood)", "DROP TYPE mood");
    const failed = await dropping.query("SELECT * FROM people").then(() => "none", (error) => error.message);
    console.log(failed.replace(/[0-9]+$/, "N"));
    await race("CREATE TABLE bills (id int, nr int DEFAULT nr())", "DROP FUNCTION nr");
    console.log(await code(dropping.query("INSERT INTO bills VALUES (1)")));
    await race("CREATE FUNCTION shop.price() RETURNS int RETURN 1", "DROP SCHEMA shop");
    await dropping.query("CREATE SCHEMA IF NOT EXISTS shop");
    const orphans = "SELECT FROM pg_proc p WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = p.pronamespace)";
    const drop = await code(dropping.query("DROP FUNCTION shop.price"));
    console.log((await dropping.query(orphans)).rowCount, drop);
    await Promise.all([creating.end(), dropping.end()]);
})();
JS

# check VERSION BESIDE QUERY INSERT FUNCTION DUMP: what is stated of it.
check() {
    timeout 60 node "$work/run.cjs" >"$work/seen"
    expect "$1: errors of DROP SCHEMA beside CREATE TABLE, and of the latter's COMMIT" "55P03 none" "$(sed -n 1p "$work/seen")"
    expect "$1: the same of DROP TYPE beside CREATE TABLE" "$2 none" "$(sed -n 2p "$work/seen")"
    expect "$1: error of a query of that table" "$3" "$(sed -n 3p "$work/seen")"
    expect "$1: the same of DROP FUNCTION beside CREATE TABLE with a default" "$2 none" "$(sed -n 4p "$work/seen")"
    expect "$1: error of an INSERT with that default" "$4" "$(sed -n 5p "$work/seen")"
    expect "$1: the same of DROP SCHEMA beside CREATE FUNCTION" "$2 none" "$(sed -n 6p "$work/seen")"
    expect "$1: functions without a schema, and error of DROP FUNCTION" "$5" "$(sed -n 7p "$work/seen")"
    expect "$1: errors of pg_dump" "$6" \
        "$(LD_LIBRARY_PATH=$libraries "$programs/pg_dump" 2>&1 >/dev/null | grep -c 'schema with OID [0-9]* does not exist' || true)"
}
start_server "$("$root/scripts/get-postgres.sh" 15 | tail -n 1)" 15.18
check 15.18 none "cache lookup failed for type N" XX000 "1 42883" 1
LD_LIBRARY_PATH=$libraries
export LD_LIBRARY_PATH
start_server "$programs" 15.20
check 15.20 55P03 none none "0 none" 0
as_stated "both transactions commit, and what they leave can be neither used nor dumped"
