#!/bin/sh
# A varchar that becomes longer (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: varchar(20) to varchar(40), or to text, changes only the catalog, since the rows stay as they are.
# Seen: the rows and plain indexes stay. But each index with an expression of the column or with a WHERE that names it
# is built again, and each CHECK that names the column is checked again for all rows, all under an ACCESS EXCLUSIVE
# lock. The manual warns of the indexes in general, and nowhere of the CHECK.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    for (const about of ["CREATE INDEX part ON users (email)", "CREATE INDEX part ON users (lower(email))",
        "CREATE INDEX part ON users (id) WHERE email <> ''", "ALTER TABLE users ADD CHECK (email <> '')"]) {
        for (const type of ["varchar(40)", "text"]) {
            const client = await connect();
            await client.query("CREATE TABLE users (id int, email varchar(20))");
            await client.query("INSERT INTO users SELECT n, n FROM generate_series(1, 1000) n");
            await client.query(about);
            await client.end();
            const altering = await connect();
            await altering.query("BEGIN");
            const files = async () => {
                const sql = "SELECT pg_relation_filenode('users') AS rows, pg_relation_filenode(to_regclass('part')) AS index";
                return (await altering.query(sql)).rows[0];
            };
            const before = await files();
            await altering.query(`ALTER TABLE users ALTER email TYPE ${type}`);
            const after = await files();
            const read = "SELECT coalesce(sum(seq_tup_read), 0) AS read FROM pg_stat_xact_user_tables WHERE relname = 'users'";
            const { rows } = await altering.query(read);
            const state = (name) => (before[name] === after[name] ? "kept" : "new");
            console.log(state("rows"), state("index"), rows[0].read);
            await altering.query("COMMIT");
            await altering.query("DROP TABLE users");
            await altering.end();
        }
    }
})();
JS
timeout 60 node "$work/run.cjs" >"$work/seen"
both() {
    sed -n "$1,$(($1 + 1))p" "$work/seen" | xargs
}
expect "rows, index and rows read for varchar(40) and for text, with a plain index" "kept kept 0 kept kept 0" "$(both 1)"
expect "the same with an index of an expression" "kept new 1000 kept new 1000" "$(both 3)"
expect "the same with an index with a WHERE" "kept new 1000 kept new 1000" "$(both 5)"
expect "the same with a CHECK and no index" "kept kept 1000 kept kept 1000" "$(both 7)"
as_stated "a longer varchar reads all rows if a CHECK or such an index names the column"
