#!/bin/sh
# Two migrations of one version, as two merged branches can leave them (dbmate 2.36.0; node-postgres 8.23.1;
# PostgreSQL 18.4).
#
# Guess: dbmate refuses two files of one version, or goes on refusing until one is renamed.
# Seen: the first run applies one of them and fails at the other with a duplicate key of its own ledger. The second
# run, as a restarted deployment makes it, exits with 0: the version is in the ledger, so both files count as applied.
# `status --exit-code` agrees, and the table of the second file never exists.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install dbmate@2.36.0 pg@8.23.1
cp "$root/findings/lib/client.cjs" "$work"
mkdir "$work/migrations"
for name in orders tags; do
    printf '%s\n' "-- migrate:up" "CREATE TABLE $name ();" "-- migrate:down" "DROP TABLE $name;" \
        >"$work/migrations/20240101000000_$name.sql"
done
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const { rows } = await client.query("SELECT version, to_regclass('orders') AS orders, to_regclass('tags') AS tags FROM schema_migrations");
    console.log(rows.map((row) => Object.values(row).join()).join());
    await client.end();
})();
JS

# The exit code; what it prints is in log.dbmate.
dbmate() {
    code=0
    "$work/node_modules/.bin/dbmate" --url "postgres://postgres@localhost/postgres?socket=$PGHOST" --no-dump-schema \
        --migrations-dir "$work/migrations" "$@" >"$work/log.dbmate" 2>&1 || code=$?
    echo "$code"
}

expect "exit code of the first run" 2 "$(dbmate migrate)"
expect "its error" 1 "$(grep -c 'duplicate key value violates unique constraint "schema_migrations_pkey"' "$work/log.dbmate")"
expect "exit code of the second run" 0 "$(dbmate migrate)"
expect "exit code of status" 0 "$(dbmate status --exit-code)"
expect "what status counts" "Applied: 2 Pending: 0" "$(grep -E '^(Applied|Pending):' "$work/log.dbmate" | xargs)"
expect "version and tables" "20240101000000,orders," "$(node "$work/run.cjs")"
as_stated "the second run succeeds, and the second migration never runs"
