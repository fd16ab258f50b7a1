#!/bin/sh
# COMMIT and ROLLBACK inside a message of several statements (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: without BEGIN, "there is no transaction in progress" means that COMMIT did nothing; and a BEGIN in the
# middle begins there, so ROLLBACK undoes only what is after it.
# Seen: the statements of one simple query share an implicit transaction. COMMIT ends it in spite of the warning:
# what is before it stays when a later statement of the same message fails. A BEGIN in the middle takes over the
# transaction with all that is before it, and ROLLBACK undoes that too.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
npm_install pg@8.23.1
cat >"$work/run.cjs" <<'JS'
const { Client } = require("pg");

(async () => {
    const client = new Client();
    const warnings = [];
    client.on("notice", (notice) => warnings.push(notice.message));
    await client.connect();
    await client.query("CREATE TABLE t (v text)");
    const rows = async () => (await client.query("SELECT string_agg(v, ',') AS v FROM t")).rows[0].v ?? "none";

    const failing = "INSERT INTO t VALUES ('before'); COMMIT; INSERT INTO t VALUES ('after'); SELECT 1 / 0";
    const code = await client.query(failing).then(() => "none", (error) => error.code);
    console.log(code);
    console.log(warnings.join());
    console.log(await rows());

    await client.query("TRUNCATE t");
    await client.query("INSERT INTO t VALUES ('before'); BEGIN; INSERT INTO t VALUES ('after'); ROLLBACK");
    console.log(await rows());
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
expect "error of the last statement" 22012 "$(sed -n 1p "$work/seen")"
expect "warning of COMMIT" "there is no transaction in progress" "$(sed -n 2p "$work/seen")"
expect "rows after the failed message" before "$(sed -n 3p "$work/seen")"
expect "rows after BEGIN and ROLLBACK in the middle" none "$(sed -n 4p "$work/seen")"
as_stated "COMMIT splits a message that failed, ROLLBACK reaches back before BEGIN"
