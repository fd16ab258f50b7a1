#!/bin/sh
# Runs the tests on several major versions of PostgreSQL, one after the other, and prints a table of them.
# Takes the versions (default 13 and 18), brings what is missing with get-postgres.sh, and fails if one fails.
# It runs every test of both packages that talk to a server, so that none is left out by a wrong guess about what needs a server.
set -eu

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 13 18
target=${CARGO_TARGET_DIR:-target}
table="| PostgreSQL | result | passed | failed | seconds |
|---|---|---|---|---|"
status=0

# How many tests all `test result:` lines of a log count as $2 (`passed` or `failed`).
count() {
    sed -n "s/^test result: .* \([0-9][0-9]*\) $2;.*/\1/p" "$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Built before the first version, so that none is charged for it.
cargo test -p migrate-tests -p migrate-cli-tests --no-run

for major in "$@"; do
    bin=$(scripts/get-postgres.sh "$major" | tail -n 1)
    # The pipe above hides a failure, which has said why already.
    [ -n "$bin" ] || exit 1
    log=$target/matrix-$major.log
    echo "== $("$bin/postgres" --version), log in $log"
    began=$(date +%s)
    result=ok
    # DATABASE_URL would name one server for all versions.
    env -u DATABASE_URL PG_BIN="$bin" cargo test -p migrate-tests -p migrate-cli-tests --no-fail-fast >"$log" 2>&1 ||
        result=FAILED
    passed=$(count "$log" passed)
    # A run without a single test proves nothing.
    [ "$passed" -gt 0 ] || result=FAILED
    if [ "$result" = FAILED ]; then
        status=1
        sed -n -e 's/^test \(.*\) \.\.\. FAILED$/  failed: \1/p' -e 's/^error/  error/p' "$log"
    fi
    table="$table
| $major | $result | $passed | $(count "$log" failed) | $(($(date +%s) - began)) |"
done

printf '\n%s\n' "$table"
exit "$status"
