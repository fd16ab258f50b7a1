#!/bin/sh
# An index of unaccent(), which a migration has made IMMUTABLE (unaccent 1.1 of PostgreSQL 15.20 and pg_dump 15.20 of
# Debian 12's security archive).
#
# Guess: a dump has what migrations have changed of a function of an extension, as it has what they have granted, or
# ALTER FUNCTION refuses to change what an extension owns.
# Seen: the grants are in the dump. What ALTER FUNCTION has set is not: the function is what CREATE EXTENSION makes
# it. So the usual way to index unaccent(name), ALTER FUNCTION .. IMMUTABLE, works until the database is restored. The
# index is in the dump, and CREATE INDEX fails with 42P17. If that is a UNIQUE index, the restored table accepts
# duplicates, and psql exits with 0.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20

sql() {
    "$programs/psql" -X -q -A -t -F ' ' -d "$@"
}
for name in migrated restored; do sql postgres -c "CREATE DATABASE $name"; done
sql migrated -v ON_ERROR_STOP=1 -c "CREATE EXTENSION unaccent" -c "CREATE TABLE places (name text)" \
    -c "ALTER FUNCTION unaccent(text) IMMUTABLE" -c "REVOKE EXECUTE ON FUNCTION unaccent(text) FROM PUBLIC" \
    -c "CREATE UNIQUE INDEX places_name ON places (unaccent(name))" -c "INSERT INTO places VALUES ('a')"

# The version, the function's volatility, whether PUBLIC may call it, and the indexes of the table.
show() {
    sql "$1" -c "SELECT extversion, provolatile, has_function_privilege('public', p.oid, 'EXECUTE'),
        (SELECT count(*) FROM pg_index WHERE indrelid = 'public.places'::regclass)
        FROM pg_proc p, pg_extension WHERE p.oid = 'public.unaccent(text)'::regprocedure AND extname = 'unaccent'"
}
"$programs/pg_dump" migrated >"$work/dump.sql"
code=0
sql restored -f "$work/dump.sql" >/dev/null 2>"$work/errors" || code=$?
expect "version of the extension, volatility, right of PUBLIC, indexes" "1.1 i f 1" "$(show migrated)"
expect "errors of the restore" "functions in index expression must be marked IMMUTABLE" "$(sed -n 's/.*ERROR:  //p' "$work/errors")"
expect "exit code of psql" 0 "$code"
expect "the same four in the restored database" "1.1 s f 0" "$(show restored)"
code=0
sql restored -v ON_ERROR_STOP=1 -c "INSERT INTO places VALUES ('a')" || code=$?
expect "exit code of an INSERT of a duplicate there" 0 "$code"
as_stated "the dump has the grants and not what ALTER FUNCTION has set, so the index cannot be restored"
