#!/bin/sh
# A session's advisory lock through PgBouncer in transaction mode (PgBouncer 1.18.0 of Debian 12, node-postgres
# 8.23.1; PostgreSQL 18.4).
#
# Guess: the lock does not hold through such a pooler, or it is released when the client that took it leaves.
# Seen: the lock belongs to the pool's server connection. A second client that is served by the same one is granted
# the lock as well: two replicas migrate at once and both believe that they hold it. After both have left, the
# lock is still held, so a client of another server connection is refused for as long as the pool lives.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
unpack_deb "$work/debian" pgbouncer=1.18.0-1+deb12u1 libc-ares2=1.18.1-3 libevent-2.1-7=2.1.12-stable-8+deb12u1
pooler=$work/debian/usr/sbin/pgbouncer
LD_LIBRARY_PATH=$(dirname "$(find "$work/debian" -name 'libcares.so.2')")
export LD_LIBRARY_PATH
seen=$("$pooler" --version | sed -n 's/^PgBouncer //p')
[ "$seen" = 1.18.0 ] || changed "the pooler is PgBouncer $seen, not 1.18.0"
mkdir "$work/pooler"
cat >"$work/pooler.ini" <<INI
[databases]
postgres = host=$work/socket dbname=postgres user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $work/pooler
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
INI
if [ "$(id -u)" = 0 ]; then chown "$(account)" "$work/pooler"; fi
(as_account env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" sh -c 'echo $$ >"$1/pid"; exec "$2" "$3"' - "$work/pooler" "$pooler" "$work/pooler.ini") \
    >"$work/log.pooler" 2>&1 &
tries=0
until [ -S "$work/pooler/.s.PGSQL.6432" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat "$work/log.pooler" >&2; exit 1; }
    sleep 0.1
done
pids="$(cat "$work/pooler/pid") $pids"
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

async function connect(host, port) {
    const client = new Client({ host, port, database: "postgres", user: "postgres" });
    await client.connect();
    return client;
}

const pooled = () => connect(process.argv[2], 6432);
const take = async (client) => (await client.query("SELECT pg_try_advisory_lock(1) AS taken")).rows[0].taken;

(async () => {
    const direct = await connect(process.env.PGHOST, 5432);
    const held = async () => {
        const sql = "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND granted";
        return (await direct.query(sql)).rows[0].held;
    };
    const [first, second] = [await pooled(), await pooled()];
    console.log(await take(first), await take(second));
    await first.end();
    await second.end();
    console.log(await held());

    // Another server connection: the first one is kept busy by a transaction.
    const [busy, third] = [await pooled(), await pooled()];
    await busy.query("BEGIN");
    await busy.query("SELECT 1");
    console.log(await take(third));
    await busy.query("COMMIT");
    for (const client of [busy, third, direct]) await client.end();
})();
JS
node "$work/run.cjs" "$work/pooler" >"$work/seen"
expect "the lock, for one client and then the other" "true true" "$(sed -n 1p "$work/seen")"
expect "advisory locks held after both have left" 1 "$(sed -n 2p "$work/seen")"
expect "the lock, for a client of another server connection" false "$(sed -n 3p "$work/seen")"
as_stated "the lock admits two clients at once, and none after them"
