#!/bin/sh
# An array of varchar that becomes one of longer varchar, or of text (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: varchar(20) to varchar(40) or to text changes only the catalog, so varchar(20)[] to varchar(40)[] or text[]
# does too, and numeric(10,2)[] to numeric(12,2)[] as numeric does.
# Seen: each of the three rewrites the table with all its indexes, also those of other columns, under an ACCESS
# EXCLUSIVE lock. varchar[] to text[] does as well. Only a length that is removed, as in varchar(20)[] to varchar[],
# rewrites nothing. The page of ALTER TABLE does not mention arrays.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();

    // Whether a change of the column's type gives the table, and an index of another column, new files.
    const show = async (from, to) => {
        await client.query(`CREATE TABLE posts (id int PRIMARY KEY, tags ${from})`);
        const files = async () => {
            const sql = "SELECT pg_relation_filenode('posts') AS posts, pg_relation_filenode('posts_pkey') AS posts_pkey";
            return (await client.query(sql)).rows[0];
        };
        const before = await files();
        await client.query(`ALTER TABLE posts ALTER tags TYPE ${to}`);
        const after = await files();
        await client.query("DROP TABLE posts");
        const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
        console.log(from, "->", to + ":", changed.join() || "none");
    };
    await show("varchar(20)", "varchar(40)");
    await show("varchar(20)", "text");
    await show("numeric(10,2)", "numeric(12,2)");
    await show("varchar(20)[]", "varchar(40)[]");
    await show("varchar(20)[]", "text[]");
    await show("varchar[]", "text[]");
    await show("numeric(10,2)[]", "numeric(12,2)[]");
    await show("varchar(20)[]", "varchar[]");
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"

# The files that a change renews.
renewed() {
    awk -F ': ' -v change="$1" '$1 == change { print $2 }' "$work/seen"
}
for change in "varchar(20) -> varchar(40)" "varchar(20) -> text" "numeric(10,2) -> numeric(12,2)" "varchar(20)[] -> varchar[]"; do
    expect "files that are new after $change" none "$(renewed "$change")"
done
for change in "varchar(20)[] -> varchar(40)[]" "varchar(20)[] -> text[]" "varchar[] -> text[]" "numeric(10,2)[] -> numeric(12,2)[]"; do
    expect "files that are new after $change" posts,posts_pkey "$(renewed "$change")"
done
as_stated "a longer varchar in an array rewrites the table"
