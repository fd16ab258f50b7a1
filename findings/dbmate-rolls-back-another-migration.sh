#!/bin/sh
# `rollback` after a migration that a late merge brought (dbmate 2.36.0; node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: `rollback` undoes the most recent migration, as its help says, so after a deployment that applied one, and
# went wrong, it undoes that one.
# Seen: it undoes the one with the highest version. If the deployment applied an older one that was merged late, its
# own change stays, and the table of another migration, which has been in use since then, is dropped with its rows. The
# exit code is 0, and the next `migrate` creates that table again, empty.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install dbmate@2.36.0 pg@8.23.1
cp "$root/findings/lib/client.cjs" "$work"
mkdir "$work/migrations"

# write VERSION TABLE
write() {
    printf '%s\n' "-- migrate:up" "CREATE TABLE $2 (id int);" "-- migrate:down" "DROP TABLE $2;" >"$work/migrations/$1_$2.sql"
}

# The exit code; what it prints is in log.dbmate.
dbmate() {
    code=0
    "$work/node_modules/.bin/dbmate" --url "postgres://postgres@localhost/postgres?socket=$PGHOST" --no-dump-schema \
        --migrations-dir "$work/migrations" "$@" >"$work/log.dbmate" 2>&1 || code=$?
    echo "$code"
}

cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    if (process.argv[2]) await client.query(process.argv[2]);
    const { rows } = await client.query(`SELECT string_agg(relname || ' ' || (xpath('/row/n/text()',
        query_to_xml('SELECT count(*) AS n FROM ' || relname, false, true, '')))[1], ', ' ORDER BY relname) AS tables
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations'`);
    console.log(rows[0].tables);
    await client.end();
})();
JS
write 20240101000000 users
write 20240301000000 orders
expect "exit code of migrate" 0 "$(dbmate migrate)"
expect "tables and their rows" "orders 1, users 0" "$(node "$work/run.cjs" "INSERT INTO orders VALUES (1)")"
write 20240201000000 tags
expect "exit code of migrate with a late one" 0 "$(dbmate migrate)"
expect "what it applied" 20240201000000_tags.sql "$(sed -n 's/^Applying: //p' "$work/log.dbmate")"
expect "exit code of rollback" 0 "$(dbmate rollback)"
expect "what it undid" 20240301000000_orders.sql "$(sed -n 's/^Rolling back: //p' "$work/log.dbmate")"
expect "tables and their rows" "tags 0, users 0" "$(node "$work/run.cjs")"
expect "exit code of migrate" 0 "$(dbmate migrate)"
expect "tables and their rows" "orders 0, tags 0, users 0" "$(node "$work/run.cjs")"
as_stated "rollback undoes the highest version, not what was applied last"
