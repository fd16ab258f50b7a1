#!/bin/sh
# An edit of a committed migration that has been applied (graphile-migrate 1.4.1, node-postgres 8.23.1;
# PostgreSQL 18.4).
#
# Guess: each committed file has a hash of its text in its header, and the database keeps it, so an edit of an
# applied file fails the next `migrate`.
# Seen: the hash is compared only when the file is about to run. Where the file was applied, `migrate` succeeds
# and changes nothing; on an empty database the same folder fails.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install graphile-migrate@1.4.1 pg@8.23.1
mkdir -p "$work/migrations/committed"
cat >"$work/run.cjs" <<'JS'
const crypto = require("crypto");
const fs = require("fs");
const { Client } = require("pg");
const { migrate } = require("graphile-migrate");

const file = __dirname + "/migrations/committed/000001-users.sql";
const url = (database) => `postgresql://postgres@localhost/${database}?host=${encodeURIComponent(process.env.PGHOST)}`;
const text = (hash, body) => `--! Previous: -\n--! Hash: sha1:${hash}\n--! Message: users\n\n${body}\n`;

async function columns(database) {
    const client = new Client({ connectionString: url(database) });
    await client.connect();
    const sql = "SELECT string_agg(attname, ',' ORDER BY attnum) AS c FROM pg_attribute " +
        "WHERE attrelid = to_regclass('users') AND attnum > 0";
    const { rows } = await client.query(sql);
    await client.end();
    return rows[0].c ?? "none";
}

async function run(database) {
    const ended = await migrate({ connectionString: url(database) }).then(() => "success", () => "failure");
    console.log(ended, await columns(database));
}

(async () => {
    process.chdir(__dirname);
    const client = new Client();
    await client.connect();
    await client.query("CREATE DATABASE applied");
    await client.query("CREATE DATABASE fresh");
    await client.end();

    const body = "CREATE TABLE users (id int);";
    const hash = crypto.createHash("sha1").update(body + "\n").digest("hex");
    fs.writeFileSync(file, text(hash, body));
    await run("applied");
    fs.writeFileSync(file, text(hash, "CREATE TABLE users (id int, email text);"));
    await run("applied");
    await run("fresh");
})();
JS
node "$work/run.cjs" >"$work/log.run" 2>&1 || { cat "$work/log.run" >&2; changed "it cannot run"; }
grep -E '^(success|failure) ' "$work/log.run" >"$work/seen"
expect "applied" "success id" "$(sed -n 1p "$work/seen")"
expect "edited, where it was applied" "success id" "$(sed -n 2p "$work/seen")"
expect "edited, on an empty database" "failure none" "$(sed -n 3p "$work/seen")"
as_stated "an edit of an applied migration is accepted"
