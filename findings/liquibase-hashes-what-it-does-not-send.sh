#!/bin/sh
# Edits of an applied changeset in a formatted SQL file (Liquibase 4.28.0 of npm's liquibase 4.28.1; node-postgres
# 8.23.1; PostgreSQL 18.4).
#
# Guess: the checksum is that of what runs, so an edit that changes the data is refused, and one that does not may be
# accepted.
# Seen: the other way round. Blanks do not count, even inside a string constant: an edit of 'New York' to 'NewYork' is
# accepted, a database that applied it before keeps the one, and a new database gets the other. Comments count,
# although they are removed before the SQL is sent, also from the bodies of functions, where the server would keep
# them.
set -eu
. "$(dirname "$0")/lib/setup.sh"

command -v java >/dev/null || { echo "java is not installed" >&2; exit 1; }
# Its driver has no Unix sockets.
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
server_18 -c listen_addresses=127.0.0.1 -c "port=$port"
export PGPORT="$port"
npm_install liquibase@4.28.1 pg@8.23.1
cp "$root/findings/lib/client.cjs" "$work"
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const { rows } = await client.query("SELECT name, replace(prosrc, E'\\n', '') AS body FROM city, pg_proc WHERE proname = 'f'");
    console.log(...Object.values(rows[0]));
    await client.end();
})();
JS

# write NAME COMMENT
write() {
    cat >"$work/changes.sql" <<SQL
--liquibase formatted sql

--changeset me:1
CREATE TABLE city (name text);
INSERT INTO city VALUES ('$1');

--changeset me:2 splitStatements:false
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS \$\$BEGIN
-- $2
RETURN 1; END\$\$;
SQL
}

# "applied" or "refused"; the files are as they were last written.
update() {
    (cd "$work" && sh node_modules/liquibase/dist/liquibase/liquibase update \
        --changelog-file=changes.sql --username=postgres --url="jdbc:postgresql://127.0.0.1:$PGPORT/postgres") \
        >"$work/log.update" 2>&1 && echo applied && return
    grep -q 'Validation Failed' "$work/log.update" || { cat "$work/log.update" >&2; changed "it cannot run"; }
    echo refused
}

write "New York" "the reason"
expect "first update" applied "$(update)"
grep -q 'Liquibase Version: 4.28.0' "$work/log.update" || changed "Liquibase is not 4.28.0"
expect "row, and body of the function" "New York BEGINRETURN 1; END" "$(node "$work/run.cjs")"
write NewYork "the reason"
expect "update after an edit inside the constant" applied "$(update)"
expect "row, and body of the function" "New York BEGINRETURN 1; END" "$(node "$work/run.cjs")"
write "New York" "another reason"
expect "update after an edit of the comment" refused "$(update)"
as_stated "an edit of the data is accepted, and one of a comment that is never sent is refused"
