#!/bin/sh
# A dump that starts while a migration rewrites a table (PostgreSQL 15.20 and pg_dump 15.20 of Debian 12's security
# archive; node-postgres 8.23.1).
#
# Guess: pg_dump reads one snapshot, so beside a migration it has the rows from before it or those from after it, or it
# fails.
# Seen: pg_dump has its snapshot before it waits for its lock on the table. Once the migration has committed, the
# rewritten rows are newer than the snapshot: pg_dump exits with 0, without a warning, and its file has the table as it
# was before, the old type included, with no rows. The manual's chapter on concurrency says that a rewritten table
# is empty for older snapshots; the page of pg_dump promises a consistent backup. ADD COLUMN does no harm, and
# --lock-wait-timeout makes pg_dump fail instead.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
install_client
cat >"$work/run.cjs" <<'JS'
const { spawn } = require("child_process");
const { connect } = require("./client.cjs");

(async () => {
    const [migrating, watch] = [await connect(), await connect()];
    await watch.query("CREATE TABLE orders (id int PRIMARY KEY, total int)");
    await watch.query("INSERT INTO orders SELECT n, n FROM generate_series(1, 100) n");

    // The exit code of a pg_dump that starts before the change is committed, its errors, and what its file has.
    const dump = async (change, ...options) => {
        await migrating.query("BEGIN");
        await migrating.query(change);
        const dumping = spawn(process.argv[2], options);
        let [file, errors] = ["", ""];
        dumping.stdout.on("data", (text) => (file += text));
        dumping.stderr.on("data", (text) => (errors += text));
        let ended;
        const exit = new Promise((resolve) => dumping.on("close", resolve)).then((code) => (ended = code));
        const waits = "SELECT FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
        while (ended === undefined && (await watch.query(waits)).rowCount === 0);
        // With a limit it ends while it waits.
        if (options.length > 0) await exit;
        await migrating.query("COMMIT");
        await exit;
        const type = /^ +total (\w+)/m.exec(file)?.[1] ?? "none";
        const rows = (/^COPY public.orders .*\n([^]*?)\\\.$/m.exec(file)?.[1] ?? "").split("\n").length - 1;
        console.log(ended, errors === "" ? "silent" : "error", type, rows);
    };
    await dump("ALTER TABLE orders ADD COLUMN paid bool DEFAULT false");
    await dump("ALTER TABLE orders ALTER total TYPE bigint");
    const { rows } = await watch.query("SELECT pg_typeof(max(total)) AS type, count(*) FROM orders");
    console.log(...Object.values(rows[0]));
    await dump("ALTER TABLE orders ALTER total TYPE numeric", "--lock-wait-timeout=200");
    await Promise.all([migrating.end(), watch.end()]);
})();
JS
timeout 60 node "$work/run.cjs" "$programs/pg_dump" >"$work/seen"
expect "exit code beside ADD COLUMN, errors, type and rows in the dump" "0 silent integer 100" "$(sed -n 1p "$work/seen")"
expect "the same beside a change of the type" "0 silent integer 0" "$(sed -n 2p "$work/seen")"
expect "type and rows in the database" "bigint 100" "$(sed -n 3p "$work/seen")"
expect "the first again, with --lock-wait-timeout" "1 error none 0" "$(sed -n 4p "$work/seen")"
as_stated "a dump beside a migration has an empty table, and pg_dump exits with 0"
