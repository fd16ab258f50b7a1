#!/bin/sh
# A dump that is restored after set_user() (set_user 4.0.1 of Debian 12, PostgreSQL 15.20 of Debian 12's security
# archive; node-postgres 8.23.1).
#
# Guess: set_user('owner') is SET ROLE with a log, so what the owner may do can be done. Its documentation names what
# is blocked: ALTER SYSTEM, COPY PROGRAM and changes of log_statement.
# Seen: each call of set_config() is refused with 42501, for any setting and also with set_user.block_log_statement =
# off. Each file of pg_dump calls it in its first lines, to empty the search_path, and so do libraries that make a
# setting for a transaction. SET works.
set -eu
. "$(dirname "$0")/lib/setup.sh"

unpack_deb "$work/debian" postgresql-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1 postgresql-15-set-user=4.0.1-1
LD_LIBRARY_PATH=$(dirname "$(find "$work/debian" -name 'libpq.so.5')")
export LD_LIBRARY_PATH
install_client
start_server "$work/debian/usr/lib/postgresql/15/bin" 15.20 -c shared_preload_libraries=set_user -c set_user.block_log_statement=off
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query("CREATE EXTENSION set_user; CREATE ROLE owner");
    await client.query("SELECT set_user('owner')");
    console.log(await code(client.query("SELECT pg_catalog.set_config('search_path', '', false)")));
    console.log(await code(client.query("SET search_path = ''")));
    await client.query("SELECT public.reset_user()");
    console.log(await code(client.query("SELECT pg_catalog.set_config('search_path', '', false)")));
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "error of the line of a dump after set_user()" 42501 "$(sed -n 1p "$work/seen")"
expect "error of SET for the same" none "$(sed -n 2p "$work/seen")"
expect "error of the line after reset_user()" none "$(sed -n 3p "$work/seen")"
as_stated "after set_user() no dump can be restored"
