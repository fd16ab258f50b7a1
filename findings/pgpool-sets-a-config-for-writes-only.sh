#!/bin/sh
# set_config() in a session through Pgpool-II with a standby (Pgpool-II 4.3.5 of Debian 12, streaming replication with
# load balancing; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: SELECT set_config('search_path', 'app', false) is SET search_path as a function, and Pgpool-II carries out SET
# on each server of the session.
# Seen: the function is VOLATILE, so it is sent to the primary alone. From then on the session has two settings: its
# writes, and reads in a transaction that has written, use the new search_path, and all other reads the old one, on the
# standby. An INSERT and the SELECT after it, of one unqualified name, are of two tables, without an error and without
# any lag. SHOW and current_setting() are answered by the standby and return the old value. Each file of pg_dump begins
# with such a call, and libraries use it to set what they bind as a parameter. SET reaches both servers.
set -eu
. "$(dirname "$0")/lib/setup.sh"

start_pgpool_with_standby
install_client
cat >"$work/run.cjs" <<'JS'
const { connect, replayed } = require("./client.cjs");

(async () => {
    const [pooler, standby] = process.argv.slice(2);
    const [direct, replica] = [await connect(), await connect({ host: standby })];
    await direct.query("ALTER DATABASE postgres SET search_path = public");
    await direct.query("CREATE SCHEMA app; CREATE TABLE users (name text); CREATE TABLE app.users (name text)");
    await replayed(direct, replica);

    // The search_path that SHOW and current_setting() return, the table that an INSERT writes to, and the rows that a
    // SELECT sees then, alone and in a transaction after a write.
    const show = async (client, set) => {
        const count = async () => (await client.query("SELECT count(*)::int AS n FROM users")).rows[0].n;
        await direct.query("TRUNCATE users, app.users");
        await client.query(set);
        const seen = [(await client.query("SHOW search_path")).rows[0].search_path];
        seen.push((await client.query("SELECT current_setting('search_path') AS it")).rows[0].it);
        await client.query("INSERT INTO users VALUES ('a')");
        const written = "SELECT tableoid::regclass AS it FROM public.users UNION ALL SELECT tableoid::regclass FROM app.users";
        seen.push((await direct.query(written)).rows[0].it);
        await replayed(direct, replica);
        seen.push(await count());
        await client.query("BEGIN");
        await client.query("UPDATE users SET name = name");
        seen.push(await count());
        await client.query("COMMIT");
        await client.end();
        console.log(...seen);
    };
    const through = () => connect({ host: pooler, port: 9999 });
    const call = "SELECT set_config('search_path', 'app', false)";
    await show(await connect(), call);
    await show(await through(), "SET search_path = app");
    await show(await through(), call);
    await Promise.all([direct.end(), replica.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" "$standby" >"$work/seen"
what="search_path of SHOW and of current_setting(), table of an INSERT, rows of a SELECT after it and after a write"
expect "$what, directly after set_config()" "app app app.users 1 1" "$(sed -n 1p "$work/seen")"
expect "the same through Pgpool-II after SET" "app app app.users 1 1" "$(sed -n 2p "$work/seen")"
expect "the same through Pgpool-II after set_config()" "public public app.users 0 1" "$(sed -n 3p "$work/seen")"
as_stated "one session writes to one table and reads another of that name"
