#!/bin/sh
# transaction_timeout that is changed inside a transaction (PostgreSQL 17.10 and 18.4; node-postgres 8.23.1).
#
# Guess: SET LOCAL transaction_timeout = '1h' in a migration gives its transaction an hour, as SET LOCAL
# statement_timeout does for its statements. SHOW agrees.
# Seen: the timer starts at BEGIN with the limit of the role or the database, and another limit does not change a timer
# that runs: the server ends the connection at the first limit. A shorter one is ignored alike. Only 0 stops the timer,
# and a limit that is set after that counts from there, not from BEGIN.
set -eu
. "$(dirname "$0")/lib/setup.sh"

install_client
cat >"$work/run.cjs" <<'JS'
const { code, connect } = require("./client.cjs");

// What SHOW returns, and the error of a pause of 1.5 seconds, in a transaction that begins with a limit.
async function run(limit, ...changes) {
    const client = await connect();
    client.on("error", () => {});
    await client.query(`SET transaction_timeout = '${limit}'`);
    await client.query("BEGIN");
    for (const change of changes) await client.query(change);
    const { rows } = await client.query("SHOW transaction_timeout");
    console.log(rows[0].transaction_timeout, await code(client.query("SELECT pg_sleep(1.5)")));
    await client.end().catch(() => {});
}

(async () => {
    await run("700ms", "SET LOCAL transaction_timeout = '1h'");
    await run("700ms", "SET transaction_timeout = '1h'");
    await run("1h", "SET LOCAL transaction_timeout = '700ms'");
    await run("700ms", "SET LOCAL transaction_timeout = 0", "SET LOCAL transaction_timeout = '1h'");
    await run("1h", "SET LOCAL transaction_timeout = 0", "SET LOCAL transaction_timeout = '700ms'");
    await run("0", "SELECT pg_sleep(1.5)", "SET LOCAL transaction_timeout = '2s'");
})();
JS

check() {
    timeout 60 node "$work/run.cjs" >"$work/seen"
    expect "$1: SHOW and error of a pause of 1.5 s, where 700 ms is made 1 h" "1h 25P04" "$(sed -n 1p "$work/seen")"
    expect "$1: the same without LOCAL" "1h 25P04" "$(sed -n 2p "$work/seen")"
    expect "$1: the same where 1 h is made 700 ms" "700ms none" "$(sed -n 3p "$work/seen")"
    expect "$1: the same where 700 ms is made 0 and then 1 h" "1h none" "$(sed -n 4p "$work/seen")"
    expect "$1: the same where 1 h is made 0 and then 700 ms" "700ms 25P04" "$(sed -n 5p "$work/seen")"
    expect "$1: the same with 2 s after 1.5 s without a limit" "2s none" "$(sed -n 6p "$work/seen")"
}
start_server "$("$root/scripts/get-postgres.sh" 17 | tail -n 1)" 17.10
check 17
server_18
check 18
as_stated "a transaction keeps the transaction_timeout that it began with"
