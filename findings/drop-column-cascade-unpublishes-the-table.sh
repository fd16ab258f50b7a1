#!/bin/sh
# DROP COLUMN .. CASCADE of a column that a publication names (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: CASCADE removes the column from the publication's column list, or the row filter that reads it, as it removes
# an index or a CHECK of the column.
# Seen: the whole table leaves the publication, for one column of its list and for its row filter. The statement
# succeeds with a notice, the publication and its slots go on, and no later change of the table is sent: a subscriber
# reports no error and keeps old rows. Without CASCADE the statement fails with 2BP01, whose hint is to use CASCADE.
# The manual says that objects outside the table need CASCADE, not that this ends the replication of the table.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18 -c wal_level=logical
install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));

    // What the publication has of the table, and how many rows it sends of the next INSERT.
    const show = async () => {
        await client.query("INSERT INTO users (id) VALUES (nextval('ids'))");
        const changes = `SELECT count(*)::int AS sent FROM pg_logical_slot_get_binary_changes('slot', NULL, NULL,
            'proto_version', '1', 'publication_names', 'feed') WHERE get_byte(data, 0) = ascii('I')`;
        const { rows } = await client.query("SELECT attnames, rowfilter FROM pg_publication_tables WHERE pubname = 'feed'");
        console.log(rows.map((row) => `${row.attnames} ${row.rowfilter}`).join() || "none", (await client.query(changes)).rows[0].sent);
    };
    await client.query("CREATE SEQUENCE ids");
    await client.query("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')");
    for (const published of ["users (id, name)", "users WHERE (name IS NULL)"]) {
        await client.query("CREATE TABLE users (id int PRIMARY KEY, name text)");
        await client.query(`CREATE PUBLICATION feed FOR TABLE ${published}`);
        await show();
        console.log(await code(client.query("ALTER TABLE users DROP COLUMN name")));
        console.log(await code(client.query("ALTER TABLE users DROP COLUMN name CASCADE")), notices.pop());
        await show();
        await client.query("DROP TABLE users; DROP PUBLICATION feed");
    }
    await client.end();
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
notice="drop cascades to publication of table users in publication feed"
expect "columns and filter that are published, and rows sent of an INSERT" "{id,name} null 1" "$(sed -n 1p "$work/seen")"
expect "error of DROP COLUMN" 2BP01 "$(sed -n 2p "$work/seen")"
expect "error of DROP COLUMN CASCADE, and notice" "none $notice" "$(sed -n 3p "$work/seen")"
expect "columns and filter that are published, and rows sent of an INSERT" "none 0" "$(sed -n 4p "$work/seen")"
expect "the first again, with a row filter" "{id,name} (name IS NULL) 1" "$(sed -n 5p "$work/seen")"
expect "error of DROP COLUMN" 2BP01 "$(sed -n 6p "$work/seen")"
expect "error of DROP COLUMN CASCADE, and notice" "none $notice" "$(sed -n 7p "$work/seen")"
expect "columns and filter that are published, and rows sent of an INSERT" "none 0" "$(sed -n 8p "$work/seen")"
as_stated "the table of a dropped column is no longer published"
