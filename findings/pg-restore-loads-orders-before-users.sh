#!/bin/sh
# Rows that are loaded into tables which the migrations have created (PostgreSQL 15.20, pg_dump 15.20 and pg_restore
# 15.20 of Debian 12's security archive).
#
# Guess: pg_restore --data-only of a whole dump loads what pg_dump --data-only would have written: the same rows, in the
# same order.
# Seen: only pg_dump --data-only looks at foreign keys, and writes the rows of `users` before those of `orders`, which
# reference them. In any other dump the tables are in the order of their names, and pg_restore --data-only keeps that,
# so it loads `orders` first, fails with 23503 and goes on: `users` has its rows, `orders` has none, and the exit code
# is 1. pg_dump --section=data, which the manual calls similar, has the order of the names too. Whether it works depends
# on the names of the tables, and neither page mentions an order.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20

sql() {
    "$programs/psql" -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$@"
}

# A database that only the migrations have run on.
migrated() {
    sql postgres -c "CREATE DATABASE $1"
    sql "$1" -c "CREATE TABLE users (id int PRIMARY KEY)" -c "CREATE TABLE orders (buyer int REFERENCES users)"
}

# load NAME [OPTION]: the exit code of pg_restore --data-only of a pg_dump with that option, the rows of users and those
# of orders.
load() {
    name=$1
    shift
    migrated "$name"
    "$programs/pg_dump" -Fc "$@" -f "$work/$name.dump" source
    code=0
    "$programs/pg_restore" --data-only -d "$name" "$work/$name.dump" 2>>"$work/errors" || code=$?
    echo "$code $(sql "$name" -c "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders)")"
}
migrated source
sql source -c "INSERT INTO users VALUES (1)" -c "INSERT INTO orders VALUES (1)"
what="exit code of pg_restore --data-only, rows of users and of orders, from pg_dump"
expect "$what --data-only" "0 1 1" "$(load data --data-only)"
expect "the same from pg_dump of all" "1 1 0" "$(load whole)"
expect "the same from pg_dump --section=data" "1 1 0" "$(load section --section=data)"
error='insert or update on table "orders" violates foreign key constraint "orders_buyer_fkey"'
expect "errors of the three" "$error" "$(sed -n 's/.*ERROR:  //p' "$work/errors" | sort -u)"
as_stated "the same option loads the same rows in another order, and loses those that come too early"
