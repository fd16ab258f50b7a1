#!/bin/sh
# The unique index that a foreign key needs, before and after a dump (PostgreSQL 15.20 and pg_dump 15.20 of Debian 12's
# security archive).
#
# Guess: a database that is loaded from the dump of another one accepts and refuses the same migrations.
# Seen: a foreign key is tied to one unique index of the columns that it names: to the primary key if it names none,
# else to the one that was created first. A dump names the columns, and creates the keys of a table in the order of
# their names. So where users_id_key is a second key of the primary key's column, the foreign key is tied to users_pkey,
# and after a restore to users_id_key. To drop the second key succeeds on the one database and fails with 2BP01 on the
# other, and the dumps of both are the same, byte by byte.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20

sql() {
    "$programs/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"
}

# The index of the foreign key, and the error of a DROP of the second key.
state() {
    index=$(sql "$1" -c "SELECT conindid::regclass FROM pg_constraint WHERE contype = 'f'")
    error=$(sql "$1" -v VERBOSITY=sqlstate -c "ALTER TABLE users DROP CONSTRAINT users_id_key" 2>&1 | sed 's/.*ERROR: *//')
    echo "$index ${error:-none}"
}

# The dump, without the key that is new in each.
dump() {
    "$programs/pg_dump" --restrict-key=same "$1" >"$work/$1.sql"
}

for name in migrated restored; do sql postgres -c "CREATE DATABASE $name"; done
sql migrated -c "CREATE TABLE users (id int PRIMARY KEY)" -c "ALTER TABLE users ADD UNIQUE (id)" \
    -c "CREATE TABLE orders (buyer int REFERENCES users)"
dump migrated
sql restored -f "$work/migrated.sql" >/dev/null
dump restored
expect "lines of the two dumps that differ" 0 "$(diff "$work/migrated.sql" "$work/restored.sql" | grep -c '^[<>]' || true)"
expect "index of the foreign key where it was migrated, and error of a DROP of the second key" "users_pkey none" "$(state migrated)"
expect "the same where it was restored" "users_id_key 2BP01" "$(state restored)"
as_stated "two databases with the same dump do not accept the same migration"
