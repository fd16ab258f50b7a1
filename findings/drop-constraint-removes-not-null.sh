#!/bin/sh
# DROP CONSTRAINT IF EXISTS of a name that only a CHECK could have (PostgreSQL 17.10 and 18.4; node-postgres 8.23.1).
#
# Guess: users_email_not_null is the CHECK that was added before SET NOT NULL, as the usual recipe has it, so DROP
# CONSTRAINT IF EXISTS does nothing where that CHECK is not, on 18 as on 17.
# Seen: on 18 each NOT NULL is a constraint, and <table>_<column>_not_null is its default name. Where the column was NOT
# NULL from the start, the statement removes that, without a notice. Where the CHECK was added first, the NOT NULL has
# another name and stays. So two databases that the same statement has run on differ, and the one accepts NULLs.
set -eu
. "$(dirname "$0")/lib/setup.sh"

install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const notices = [];
    client.on("notice", (notice) => notices.push(notice.message));
    const finish = async (...statements) => {
        notices.length = 0;
        for (const statement of statements) await client.query(statement);
        await client.query("ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_not_null");
        const { rows } = await client.query("SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'email'");
        console.log(rows[0].attnotnull, notices.length);
        await client.query("DROP TABLE users");
    };
    await finish("CREATE TABLE users (email text)",
        "ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null",
        "ALTER TABLE users ALTER email SET NOT NULL");
    await finish("CREATE TABLE users (email text NOT NULL)");
    await client.end();
})();
JS

# check VERSION FRESH
check() {
    timeout 60 node "$work/run.cjs" >"$work/seen"
    expect "$1: NOT NULL where the CHECK was, and notices" "true 0" "$(sed -n 1p "$work/seen")"
    expect "$1: the same where the column was NOT NULL from the start" "$2" "$(sed -n 2p "$work/seen")"
}
start_server "$("$root/scripts/get-postgres.sh" 17 | tail -n 1)" 17.10
check 17 "true 1"
server_18
check 18 "false 0"
as_stated "the same statement is skipped on 17 and removes NOT NULL on 18"
