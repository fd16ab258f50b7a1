#!/bin/sh
# A migration that an older branch brings (drizzle-orm 0.45.4, node-postgres 8.23.1; PostgreSQL 18.4).
#
# Guess: the ledger has a hash for each migration, so what is pending is what has no row: a migration whose branch
# was merged late is applied, or is an error.
# Seen: only the newest `created_at` of the ledger counts. A migration whose journal entry is older is skipped:
# migrate() succeeds and the table is missing, now and at every later run.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install drizzle-orm@0.45.4 pg@8.23.1
mkdir -p "$work/migrations/meta"
cat >"$work/run.cjs" <<'JS'
const fs = require("fs");
const { Pool } = require("pg");
const { drizzle } = require("drizzle-orm/node-postgres");
const { migrate } = require("drizzle-orm/node-postgres/migrator");

const folder = __dirname + "/migrations";

// Writes the folder as drizzle-kit does: a journal, and a file for each of its entries, in the journal's order.
function write(names) {
    const entries = names.map(([tag, when], idx) => ({ idx, version: "7", when, tag, breakpoints: true }));
    fs.writeFileSync(folder + "/meta/_journal.json", JSON.stringify({ version: "7", dialect: "postgresql", entries }));
    for (const [tag] of names) fs.writeFileSync(`${folder}/${tag}.sql`, `CREATE TABLE ${tag} (id int);`);
}

(async () => {
    const pool = new Pool();
    const tables = async () => {
        const sql = "SELECT string_agg(relname, ',' ORDER BY relname) AS t FROM pg_class " +
            "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
        return (await pool.query(sql)).rows[0].t;
    };
    const run = async () => {
        await migrate(drizzle(pool), { migrationsFolder: folder });
        console.log(await tables());
    };
    write([["users", 1700000000000], ["orders", 1700000002000]]);
    await run();
    // Written before `orders`, merged after it was applied.
    write([["users", 1700000000000], ["tags", 1700000001000], ["orders", 1700000002000]]);
    await run();
    write([["users", 1700000000000], ["tags", 1700000001000], ["orders", 1700000002000], ["notes", 1700000003000]]);
    await run();
    await pool.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "tables at first" "orders,users" "$(sed -n 1p "$work/seen")"
expect "tables after an older migration came" "orders,users" "$(sed -n 2p "$work/seen")"
expect "tables after a newer one came too" "notes,orders,users" "$(sed -n 3p "$work/seen")"
as_stated "the older migration is never applied, and no error says so"
