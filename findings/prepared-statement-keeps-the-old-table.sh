#!/bin/sh
# A new table that comes before another one of its name in search_path (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: from the moment when app.bills exists, a session with search_path = app, public uses it for the name `bills`,
# or it uses public.bills until it reconnects.
# Seen: both at once. A prepared statement and a PL/pgSQL function that have run go on to write to public.bills, while
# the same statement as text writes to app.bills, in the same session and transaction. A function that is added for a
# closer type is missed alike. It ends when the statement is parsed again: after a reconnect, or an ANALYZE of the old
# table. So a service whose driver prepares some of its statements splits its rows over two tables, without an error.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c autovacuum=off
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const [migrating, running] = [await connect(), await connect()];
    await migrating.query("CREATE SCHEMA app; CREATE TABLE bills (by text)");
    await migrating.query("CREATE FUNCTION bill() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO bills VALUES ('function'); END $$");
    await migrating.query("CREATE FUNCTION price(numeric) RETURNS text LANGUAGE sql AS $$ SELECT 'numeric' $$");
    await running.query("SET search_path = app, public");
    const price = async (name) => (await running.query({ name, text: "SELECT price(1)" })).rows[0].price;
    const write = async () => {
        await running.query("BEGIN");
        await running.query({ name: "bill", text: "INSERT INTO bills VALUES ('prepared')" });
        await running.query("SELECT bill()");
        await running.query("INSERT INTO bills VALUES ('text')");
        await running.query("COMMIT");
    };
    const rows = async (table) => {
        const { rows } = await migrating.query(`SELECT string_agg(by, ',' ORDER BY by) AS by FROM ${table}`);
        // TRUNCATE would have the statements parsed again, as ANALYZE does.
        await migrating.query(`DELETE FROM ${table}`);
        return rows[0].by ?? "none";
    };
    await write();
    console.log(await rows("public.bills"), await price("price"));
    await migrating.query("CREATE TABLE app.bills (by text)");
    await migrating.query("CREATE FUNCTION price(int) RETURNS text LANGUAGE sql AS $$ SELECT 'int' $$");
    await write();
    console.log(await rows("public.bills"), await rows("app.bills"));
    console.log(await price("price"), await price());
    await migrating.query("ANALYZE public.bills");
    await write();
    console.log(await rows("public.bills"), await rows("app.bills"));
    await Promise.all([migrating.end(), running.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "rows of public.bills, and the function of price(1), before" "function,prepared,text numeric" "$(sed -n 1p "$work/seen")"
expect "rows of public.bills and of app.bills after" "function,prepared text" "$(sed -n 2p "$work/seen")"
expect "the function of price(1), prepared before and as text" "numeric int" "$(sed -n 3p "$work/seen")"
expect "rows of public.bills and of app.bills after ANALYZE" "none function,prepared,text" "$(sed -n 4p "$work/seen")"
as_stated "one session writes to both tables under one name"
