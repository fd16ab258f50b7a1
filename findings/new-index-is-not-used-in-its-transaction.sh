#!/bin/sh
# An index that is created after an UPDATE in the same transaction (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: a migration that fills a column, creates an index of it, and then joins by that column uses the index.
# Seen: where an UPDATE has changed rows within their page (HOT, as usual while the column has no index), the new
# index has pg_index.indcheckxmin, and the transaction that created it cannot use it: the rest of the migration reads
# the whole table each time. After COMMIT, no transaction uses it while one that wrote before it, to any table, is
# still open. If the index is created before the UPDATE, or in the next transaction, it is used at once.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const [migrating, older] = [await connect(), await connect()];
    const scan = async (client) => {
        await client.query("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off");
        const { rows } = await client.query("EXPLAIN (COSTS off) SELECT * FROM users WHERE slug = 'b7'");
        return rows[0]["QUERY PLAN"].replace(/ (using|on) .*/, "");
    };
    const fill = "UPDATE users SET slug = 'b' || id";
    const build = "CREATE INDEX by_slug ON users (slug)";
    const run = async (...steps) => {
        await migrating.query("DROP TABLE IF EXISTS users");
        await migrating.query("CREATE TABLE users (id int PRIMARY KEY, slug text) WITH (fillfactor = 40)");
        await migrating.query("INSERT INTO users SELECT n, 'a' || n FROM generate_series(1, 1000) n");
        await migrating.query("BEGIN");
        for (const step of steps) await migrating.query(step);
        const { rows } = await migrating.query("SELECT indcheckxmin FROM pg_index WHERE indexrelid = 'by_slug'::regclass");
        return [rows[0].indcheckxmin, await scan(migrating)].join(", ");
    };
    console.log(await run(build, fill));
    await migrating.query("COMMIT");
    console.log(await run(fill, "COMMIT", "BEGIN", build));
    await migrating.query("COMMIT");
    await older.query("BEGIN");
    await older.query("CREATE TABLE orders ()");
    console.log(await run(fill, build));
    await migrating.query("COMMIT");
    const later = async () => {
        await migrating.query("BEGIN");
        const seen = await scan(migrating);
        await migrating.query("COMMIT");
        return seen;
    };
    const beside = await later();
    await older.query("COMMIT");
    console.log([beside, await later()].join(", "));
    await Promise.all([migrating.end(), older.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
expect "indcheckxmin and plan, if the index is created before the UPDATE" "false, Index Scan" "$(sed -n 1p "$work/seen")"
expect "the same in the transaction after the UPDATE's" "false, Index Scan" "$(sed -n 2p "$work/seen")"
expect "the same after the UPDATE in its transaction" "true, Seq Scan" "$(sed -n 3p "$work/seen")"
expect "plan after COMMIT, while an older transaction is open and later" "Seq Scan, Index Scan" "$(sed -n 4p "$work/seen")"
as_stated "an index is not used by the transaction that created it"
