#!/bin/sh
# NOT NULL .. NOT VALID, which is new in 18 (PostgreSQL 18.4; node-postgres 8.23.1, drizzle-kit 0.31.11 with
# drizzle-orm 0.45.4).
#
# Guess: a column whose NOT NULL is not validated, and which has NULLs, is reported as one that may have NULLs.
# Seen: pg_attribute.attnotnull is true and information_schema.columns has is_nullable = 'NO' as soon as the
# constraint is added. Until it is validated, which may be a release later, a program that generates types from the
# catalog writes a type without null for rows that have NULLs: drizzle-kit writes `.notNull()`. Only
# pg_constraint.convalidated shows the difference.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1 drizzle-kit@0.31.11 drizzle-orm@0.45.4
cp "$root/findings/lib/client.cjs" "$work"
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const show = async () => {
        const { rows } = await client.query("SELECT attnotnull, is_nullable, count(*) - count(email) AS nulls FROM users, " +
            "pg_attribute, information_schema.columns WHERE attrelid = 'users'::regclass AND attname = 'email' " +
            "AND table_schema = 'public' AND table_name = 'users' AND column_name = 'email' GROUP BY 1, 2");
        console.log(...Object.values(rows[0]));
    };
    await client.query("CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1)");
    await show();
    await client.query("ALTER TABLE users ADD CONSTRAINT email_is_there NOT NULL email NOT VALID");
    await show();
    const { rows } = await client.query("SELECT convalidated FROM pg_constraint WHERE conname = 'email_is_there'");
    console.log(rows[0].convalidated);
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "attnotnull, is_nullable and NULLs of the column" "false YES 1" "$(sed -n 1p "$work/seen")"
expect "the same with a NOT NULL that is not valid" "true NO 1" "$(sed -n 2p "$work/seen")"
expect "convalidated of the constraint" false "$(sed -n 3p "$work/seen")"
(cd "$work" && node_modules/.bin/drizzle-kit pull --dialect postgresql --out generated \
    --url "postgresql://postgres@localhost/postgres?host=$PGHOST") >"$work/log.pull" 2>&1 || { cat "$work/log.pull" >&2; changed "drizzle-kit fails"; }
expect "drizzle-kit's column" "email: text().notNull()," "$(sed -n 's/^[[:space:]]*\(email:.*\)/\1/p' "$work/generated/schema.ts")"
as_stated "a column with NULLs is reported as NOT NULL"
