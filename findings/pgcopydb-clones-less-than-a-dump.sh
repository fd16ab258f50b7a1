#!/bin/sh
# A database that is copied to another server with `pgcopydb clone` (pgcopydb 0.10 of Debian 12; PostgreSQL 15.20 and
# pg_dump 15.20 of Debian 12's security archive).
#
# Guess: pgcopydb runs pg_dump and pg_restore, and copies tables and builds indexes itself only to do so in parallel,
# so what it leaves is what a restored dump has.
# Seen: it exits with 0, and the copy has no rows of UNLOGGED tables, and nothing that pg_dump writes beside an index:
# REPLICA IDENTITY USING INDEX, CLUSTER ON and the statistics target of an expression; a UNIQUE that was DEFERRABLE is
# not. Each of them is in a restored dump. So UPDATE fails on the new server where there is a publication, and an
# UPDATE that swaps two values of the UNIQUE fails everywhere.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
unpack_deb "$work/debian" pgcopydb=0.10-1
program=$work/debian/usr/bin/pgcopydb
PATH=$programs:$PATH
export PATH
seen=$("$program" --version 2>/dev/null | sed -n 's/^pgcopydb version //p')
[ "$seen" = 0.10-1 ] || changed "it is pgcopydb $seen, not 0.10-1"

sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"
}
for name in old cloned restored; do sql postgres -c "CREATE DATABASE $name"; done
sql old -c "CREATE TABLE places (id int NOT NULL, name text, rank int)" \
    -c "CREATE UNIQUE INDEX places_id ON places (id)" -c "ALTER TABLE places REPLICA IDENTITY USING INDEX places_id" \
    -c "CREATE INDEX places_name ON places (lower(name))" -c "ALTER TABLE places CLUSTER ON places_name" \
    -c "ALTER INDEX places_name ALTER COLUMN 1 SET STATISTICS 1000" \
    -c "ALTER TABLE places ADD CONSTRAINT places_rank UNIQUE (rank) DEFERRABLE" \
    -c "INSERT INTO places VALUES (1, 'a', 1), (2, 'b', 2)" \
    -c "CREATE UNLOGGED TABLE seen (id int)" -c "INSERT INTO seen VALUES (1), (2), (3)"
code=0
"$program" clone --dir "$work/clone" --source "host=$PGHOST user=postgres dbname=old" \
    --target "host=$PGHOST user=postgres dbname=cloned" >"$work/log.clone" 2>&1 || code=$?
pg_dump old >"$work/dump.sql"
sql restored -f "$work/dump.sql" >/dev/null

# What a database has of each.
show() {
    sql "$1" -F ' ' -c "SELECT (SELECT count(*) FROM places), (SELECT count(*) FROM seen),
        (SELECT count(*) FROM pg_index WHERE indisreplident), (SELECT count(*) FROM pg_index WHERE indisclustered),
        (SELECT count(*) FROM pg_attribute WHERE attrelid = 'places_name'::regclass AND attstattarget = 1000),
        (SELECT condeferrable FROM pg_constraint WHERE conname = 'places_rank')"
}
what="rows of both tables, replica identities, CLUSTER ON, statistics targets, DEFERRABLE"
expect "exit code of pgcopydb" 0 "$code"
expect "$what, in the old database" "2 3 1 1 1 t" "$(show old)"
expect "the same in a restored dump" "2 3 1 1 1 t" "$(show restored)"
expect "the same in the copy of pgcopydb" "2 0 0 0 0 f" "$(show cloned)"
as_stated "pgcopydb exits with 0, and its copy lacks rows and what belongs to indexes"
