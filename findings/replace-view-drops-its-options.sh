#!/bin/sh
# CREATE OR REPLACE VIEW of a view with options (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: replacing a view replaces its query. What ALTER VIEW or GRANT has set for the view is kept.
# Seen: owner, grants, comment and column defaults are kept, but all options of WITH (..) that the new statement does
# not repeat are removed without a notice: `security_invoker` from ALTER VIEW .. SET, so the view reads its tables
# with the rights of its owner again, and WITH CHECK OPTION. CREATE OR REPLACE FUNCTION does the same to ALTER
# FUNCTION .. SET, but there the manual says so. ALTER TABLE, and a second ALTER VIEW .. SET, keep the other options.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    const show = async () => {
        const { rows } = await client.query("SELECT coalesce(array_to_string(reloptions, ','), 'none') AS options, " +
            "has_table_privilege('reader', oid, 'SELECT') AS granted, obj_description(oid) AS comment, " +
            "(SELECT count(*) FROM pg_attrdef WHERE adrelid = c.oid) AS defaults " +
            "FROM pg_class c WHERE relname = 'adults'");
        console.log(...Object.values(rows[0]));
    };
    await client.query("CREATE TABLE people (name text, age int); CREATE ROLE reader");
    await client.query("CREATE VIEW adults AS SELECT * FROM people WHERE age >= 18 WITH CHECK OPTION");
    await client.query("ALTER VIEW adults SET (security_invoker = true)");
    await client.query("ALTER VIEW adults ALTER COLUMN age SET DEFAULT 18");
    await client.query("GRANT SELECT ON adults TO reader; COMMENT ON VIEW adults IS 'kept'");
    await show();
    await client.query("CREATE OR REPLACE VIEW adults AS SELECT * FROM people WHERE age >= 21");
    await show();
    console.log(notices.join() || "none");
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "options, grant, comment and defaults" "check_option=cascaded,security_invoker=true true kept 1" "$(sed -n 1p "$work/seen")"
expect "the same after the view was replaced" "none true kept 1" "$(sed -n 2p "$work/seen")"
expect "notices" none "$(sed -n 3p "$work/seen")"
as_stated "everything set for the view is kept, except its options"
