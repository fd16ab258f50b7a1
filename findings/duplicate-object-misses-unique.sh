#!/bin/sh
# The block that adds a constraint unless it exists (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: ADD CONSTRAINT has no IF NOT EXISTS, so a DO block with EXCEPTION WHEN duplicate_object THEN NULL makes it
# safe to run again, and it is over at once where the constraint exists.
# Seen: that is so for CHECK and foreign keys, which fail with 42710. UNIQUE and EXCLUDE fail with 42P07, which is
# duplicate_table, because their index is a table in the catalog, and a primary key with 42P16: the block does not
# catch either. A primary key fails so whatever its name is. And all of them, CHECK and foreign keys too, wait for
# their lock first, with those that come after them, although there is nothing to do.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service] = [await connect(), await connect()];
    await migrating.query("CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (id int, buyer int)");
    const constraints = ["CHECK (id > 0)", "FOREIGN KEY (buyer) REFERENCES users", "UNIQUE (id)", "EXCLUDE (buyer WITH =)", "PRIMARY KEY (id)"];
    const block = (number) =>
        `DO $$ BEGIN ALTER TABLE orders ADD CONSTRAINT orders_${number} ${constraints[number]};
         EXCEPTION WHEN duplicate_object THEN NULL; END $$`;
    const errors = async () => {
        const seen = [];
        for (const number of constraints.keys()) seen.push(await code(migrating.query(block(number))));
        console.log(...seen);
    };
    await errors();
    await errors();
    await migrating.query("SET lock_timeout = '200ms'");
    await service.query("BEGIN; INSERT INTO orders VALUES (1, NULL)");
    await errors();
    await Promise.all([migrating.end(), service.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "errors of CHECK, FOREIGN KEY, UNIQUE, EXCLUDE and PRIMARY KEY" "none none none none none" "$(sed -n 1p "$work/seen")"
expect "errors of the same once more" "none none 42P07 42P07 42P16" "$(sed -n 2p "$work/seen")"
expect "errors beside a writer" "55P03 55P03 55P03 55P03 55P03" "$(sed -n 3p "$work/seen")"
as_stated "the block catches what exists for CHECK and foreign keys only, and waits before"
