#!/bin/sh
# A dump of a database that was restored from a dump (PostgreSQL 15.20 and pg_dump 15.20 of Debian 12's security
# archive).
#
# Guess: pg_dump of a restored database is the file that it was restored from, so a migrated database and one that was
# loaded from the schema file of another can be compared by their dumps.
# Seen: some expressions are written in a form that is parsed into another one, with the same meaning. `v IN ('a',
# 'b')` of a varchar is dumped with a cast of the array, and after the restore with a cast of each element, in each
# CHECK, view and partial index; a BETWEEN inside AND loses its parentheses. The next round trip changes nothing.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20

sql() {
    "$programs/psql" -X -q -v ON_ERROR_STOP=1 -d "$@" >/dev/null
}

# The schema, without the key that is new in each dump.
dump() {
    "$programs/pg_dump" --schema-only --restrict-key=same "$1" >"$work/$1.sql"
}

for name in migrated restored again; do sql postgres -c "CREATE DATABASE $name"; done
sql migrated -c "CREATE TABLE t (v varchar CHECK (v IN ('a', 'b')), n int, CHECK (n BETWEEN 1 AND 9 AND v <> ''))" \
    -c "CREATE VIEW w AS SELECT n FROM t WHERE v IN ('a', 'b')" \
    -c "CREATE INDEX i ON t (n) WHERE v IN ('a', 'b')"
dump migrated
sql restored -f "$work/migrated.sql"
dump restored
sql again -f "$work/restored.sql"
dump again

checks() {
    sed -n "s/.*CONSTRAINT $2 CHECK (\(.*\)),\{0,1\}$/\1/p" "$work/$1.sql"
}
array="((v)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"
elements="((v)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))"
expect "the CHECK of IN where it was migrated" "$array" "$(checks migrated t_v_check)"
expect "the CHECK of IN where it was restored" "$elements" "$(checks restored t_v_check)"
expect "the CHECK of BETWEEN where it was migrated" "(((n >= 1) AND (n <= 9)) AND ((v)::text <> ''::text))" "$(checks migrated t_check)"
expect "the CHECK of BETWEEN where it was restored" "((n >= 1) AND (n <= 9) AND ((v)::text <> ''::text))" "$(checks restored t_check)"
expect "lines of the dump that differ" 4 "$(diff "$work/migrated.sql" "$work/restored.sql" | grep -c '^>' || true)"
expect "lines of the next dump that differ" 0 "$(diff "$work/restored.sql" "$work/again.sql" | grep -c '^>' || true)"
as_stated "a dump of a restored dump differs from it"
