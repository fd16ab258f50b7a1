#!/bin/sh
# ALTER DATABASE .. SET beside clients of PgBouncer in transaction mode (PgBouncer 1.18.0 of Debian 12, node-postgres
# 8.23.1; PostgreSQL 18.4).
#
# Guess: a new default, as of search_path, is that of connections that begin after it: a client of the pooler keeps the
# old one until it reconnects, or all clients have the new one after RECONNECT.
# Seen: one client has both by turns. Each of its transactions runs on a server connection that is free, and those that
# began before have the old search_path, for up to server_lifetime, an hour; so an unqualified name is one table and
# then another. With TimeZone it is the other way round: PgBouncer keeps that of each client, and sets the old one on
# server connections that begin with the new one, also after RECONNECT, which brings the same client the new
# search_path.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
start_pgbouncer "pool_mode = transaction" "admin_users = postgres" "default_pool_size = 2"
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

const pooled = (database) => connect({ host: process.argv[2], port: 6432, database });

(async () => {
    const direct = await connect();
    const [console_, other] = [await pooled("pgbouncer"), await pooled("postgres")];
    const settings = async (client) => {
        const { rows } = await client.query("SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone");
        return `${rows[0].path} ${rows[0].zone}`;
    };
    await direct.query("ALTER DATABASE postgres SET search_path = old; ALTER DATABASE postgres SET TimeZone = 'Europe/Berlin'");
    await console_.query("RECONNECT");
    const client = await pooled("postgres");
    const seen = [await settings(client)];
    await direct.query("ALTER DATABASE postgres SET search_path = new; ALTER DATABASE postgres SET TimeZone = 'UTC'");

    // While another client has the pool's only connection, it opens a second one; then either is free.
    await other.query("BEGIN; SELECT 1");
    seen.push(await settings(client));
    await other.query("COMMIT");
    seen.push(await settings(client));
    await console_.query("RECONNECT");
    await direct.query("SELECT pg_sleep(1)");
    seen.push(await settings(client));
    const fresh = await pooled("postgres");
    seen.push(await settings(fresh));
    console.log(seen.join("\n"));
    for (const one of [client, other, fresh, console_, direct]) await one.end();
})();
JS
timeout 60 node "$work/run.cjs" "$pooler" >"$work/seen"
what="search_path and TimeZone of a client"
expect "$what" "old Europe/Berlin" "$(sed -n 1p "$work/seen")"
expect "$what after ALTER DATABASE, in a transaction beside another client's" "new Europe/Berlin" "$(sed -n 2p "$work/seen")"
expect "$what in its next transaction" "old Europe/Berlin" "$(sed -n 3p "$work/seen")"
expect "$what after RECONNECT" "new Europe/Berlin" "$(sed -n 4p "$work/seen")"
expect "$what that is new" "new UTC" "$(sed -n 5p "$work/seen")"
as_stated "one client has the old and the new search_path by turns, and keeps its old TimeZone"
