#!/bin/sh
# A generated column whose function is replaced (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a stored generated column is computed whenever its row is written, as the manual says, so after CREATE OR
# REPLACE FUNCTION any UPDATE of all rows brings it up to date.
# Seen: an UPDATE computes it only if it sets a column that the expression names, also to the same value. UPDATE .. SET
# touched = 1, of a column beside it, writes each row again with the old result. If the table has a BEFORE UPDATE
# trigger, even one that does nothing, the same statement computes it. So whether a backfill works depends on a
# trigger, which a test database may not have.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const replace = (sql) => client.query(`CREATE OR REPLACE FUNCTION slug(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT ${sql} $$`);
    await replace("'old ' || $1");
    await client.query(`CREATE TABLE posts (id int PRIMARY KEY, title text, slug text GENERATED ALWAYS AS (slug(title)) STORED,
        touched int NOT NULL DEFAULT 0)`);
    await client.query("INSERT INTO posts VALUES (1, 'a')");
    const show = async (sql) => {
        await client.query("BEGIN");
        await client.query(sql);
        const { rows } = await client.query("SELECT touched, slug FROM posts");
        await client.query("ROLLBACK");
        console.log(Object.values(rows[0]).join(" "));
    };
    await replace("'new ' || $1");
    const touch = "UPDATE posts SET touched = 1";
    await show(touch);
    await show("INSERT INTO posts VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET touched = 1");
    await show("UPDATE posts SET title = title");
    await client.query("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    await client.query("CREATE TRIGGER nothing BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION nothing()");
    await show(touch);
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
what="touched and generated column once the function is replaced, after"
expect "$what UPDATE of another column" "1 old a" "$(sed -n 1p "$work/seen")"
expect "$what ON CONFLICT DO UPDATE of another column" "1 old a" "$(sed -n 2p "$work/seen")"
expect "$what UPDATE .. SET title = title" "0 new a" "$(sed -n 3p "$work/seen")"
expect "$what UPDATE of another column with a BEFORE UPDATE trigger" "1 new a" "$(sed -n 4p "$work/seen")"
as_stated "an UPDATE computes a generated column only if it sets what that reads, or if there is a trigger"
