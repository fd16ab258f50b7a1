#!/bin/sh
# A dump that starts while a migration renames (PostgreSQL 15.20 and pg_dump 15.20 of Debian 12's security archive;
# node-postgres 8.23.1).
#
# Guess: a rename writes no rows, so a dump beside it has the old name or the new one, and can be restored.
# Seen: pg_dump reads names of columns and values of enums from its snapshot, and asks the server for the text of each
# CHECK, default, view and index, which the server writes as of now. If the rename commits while pg_dump waits for its
# lock on the table, the file has both: a column `total` with a CHECK of `amount`, or an enum with the value `open` and
# rows and a default with `new`. pg_dump exits with 0, without a warning, and the table cannot be restored. Only a dump
# with rows notices a renamed column. A dump beside ADD COLUMN can be restored.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
install_client
cat >"$work/run.cjs" <<'JS'
const { spawn, spawnSync } = require("child_process");
const { connect } = require("./client.cjs");

(async () => {
    const [migrating, watch] = [await connect(), await connect()];

    // The exit code of a pg_dump that starts before the change is committed, its errors, and the first error of its
    // file in an empty database.
    const dump = async (name, change, ...options) => {
        await watch.query("DROP TABLE IF EXISTS orders; DROP TYPE IF EXISTS state");
        await watch.query("CREATE TYPE state AS ENUM ('open', 'paid')");
        await watch.query("CREATE TABLE orders (total int CHECK (total > 0), state state DEFAULT 'open')");
        await watch.query("INSERT INTO orders VALUES (1)");
        await watch.query(`CREATE DATABASE ${name}`);
        await migrating.query("BEGIN; LOCK TABLE orders");
        await migrating.query(change);
        const dumping = spawn(process.argv[2] + "/pg_dump", options);
        let [file, errors, ended] = ["", "", undefined];
        dumping.stdout.on("data", (text) => (file += text));
        dumping.stderr.on("data", (text) => (errors += text));
        const exit = new Promise((resolve) => dumping.on("close", resolve)).then((code) => (ended = code));
        const waits = "SELECT FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
        while (ended === undefined && (await watch.query(waits)).rowCount === 0);
        await migrating.query("COMMIT");
        await exit;
        const restored = spawnSync(process.argv[2] + "/psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", name], { input: file });
        const error = /ERROR: +(.*)/.exec(restored.stderr)?.[1] ?? "restored";
        console.log(ended, errors === "" ? "silent" : "error", error);
    };
    await dump("added", "ALTER TABLE orders ADD COLUMN note text");
    await dump("labelled", "ALTER TYPE state RENAME VALUE 'open' TO 'new'");
    await dump("renamed", "ALTER TABLE orders RENAME total TO amount", "--schema-only");
    await dump("complete", "ALTER TABLE orders RENAME total TO amount");
    await Promise.all([migrating.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$programs" >"$work/seen"
what="exit code of pg_dump, its errors, and the first one of a restore"
expect "$what, beside ADD COLUMN" "0 silent restored" "$(sed -n 1p "$work/seen")"
expect "the same beside RENAME VALUE" '0 silent invalid input value for enum public.state: "new"' "$(sed -n 2p "$work/seen")"
expect "the same beside RENAME of a column, with --schema-only" '0 silent column "amount" does not exist' "$(sed -n 3p "$work/seen")"
expect "the same with rows" '1 error column "amount" does not exist' "$(sed -n 4p "$work/seen")"
as_stated "a dump beside a rename exits with 0 and cannot be restored"
