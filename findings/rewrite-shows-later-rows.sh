#!/bin/sh
# A migration at REPEATABLE READ or SERIALIZABLE that rewrites a table (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: from its first query on, such a transaction sees the rows as of one moment, whatever it changes, or it fails
# with 40001.
# Seen: once it has changed the type of a column it also sees the rows that others have committed meanwhile, because
# the rewrite makes all rows its own. What it has counted or copied before does not fit what it counts afterwards, and
# SERIALIZABLE commits without an error too. ADD CHECK and CREATE UNIQUE INDEX fail because of rows that a query of the
# same transaction does not show. The manual warns of the rewrite only for other transactions, which see no rows at
# all.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const [migrating, service] = [await connect(), await connect()];
    const rows = async () => (await migrating.query("SELECT count(*)::int AS n FROM orders")).rows[0].n;

    // The rows that the migration sees at first, once another transaction has committed two, and after its own change,
    // and the errors of the change and of its COMMIT.
    const show = async (isolation, change) => {
        await migrating.query("CREATE TABLE orders (total int); INSERT INTO orders VALUES (1)");
        await migrating.query(`BEGIN ISOLATION LEVEL ${isolation}`);
        const seen = [await rows()];
        await service.query(`BEGIN ISOLATION LEVEL ${isolation}; INSERT INTO orders VALUES (1), (3); COMMIT`);
        seen.push(await rows());
        await migrating.query("SAVEPOINT before");
        const failed = await code(migrating.query(change));
        if (failed !== "none") await migrating.query("ROLLBACK TO before");
        seen.push(await rows(), failed, await code(migrating.query("COMMIT")));
        await migrating.query("DROP TABLE orders");
        console.log(...seen);
    };
    await show("REPEATABLE READ", "ALTER TABLE orders ADD COLUMN note text DEFAULT ''");
    await show("REPEATABLE READ", "ALTER TABLE orders ALTER total TYPE bigint");
    await show("SERIALIZABLE", "ALTER TABLE orders ALTER total TYPE bigint");
    await show("REPEATABLE READ", "ALTER TABLE orders ADD CHECK (total < 3)");
    await show("REPEATABLE READ", "CREATE UNIQUE INDEX ON orders (total)");
    await Promise.all([migrating.end(), service.end()]);
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
what="rows at first, once others have committed, after the change, its error and that of COMMIT"
expect "$what, for ADD COLUMN" "1 1 1 none none" "$(sed -n 1p "$work/seen")"
expect "the same for a change of the type" "1 1 3 none none" "$(sed -n 2p "$work/seen")"
expect "the same at SERIALIZABLE" "1 1 3 none none" "$(sed -n 3p "$work/seen")"
expect "the first for ADD CHECK" "1 1 1 23514 none" "$(sed -n 4p "$work/seen")"
expect "the same for CREATE UNIQUE INDEX" "1 1 1 23505 none" "$(sed -n 5p "$work/seen")"
as_stated "a rewrite shows its transaction rows that were committed after its snapshot"
