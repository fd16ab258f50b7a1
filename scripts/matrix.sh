#!/bin/sh
# Runs the tests on several versions of PostgreSQL at the same time, and prints a table of the results.
# The arguments are versions for get-postgres.sh (default: 13, newest-15 and newest-18), which downloads those that
# are missing. It fails if a test fails; a version for which no registry answers is a row of the table, not a failure.
set -eu

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 13 newest-15 newest-18
target=${CARGO_TARGET_DIR:-target}
table="| PostgreSQL | server | result | passed | failed | seconds |
|---|---|---|---|---|---|"
status=0

# The tests that depend on the server's version. Those of `pure` and `build` need no server, or only for one run; those
# skipped test programs, signals, a terminal, TLS, the server's log, what keywords can name, the names in the library's
# statements, the tests' own server, the commands of pages, and what the command line prints, which sends the statements
# that `db` tests: one version is enough.
tests='--test db --test programs --test cli'
always='--skip boot_service:: --skip examples:: --skip infrastructure:: --skip older_binary:: --skip terminal:: --skip tls:: --skip names:: --skip shadows:: --skip server_log:: --skip named_server:: --skip pages:: --skip deploy:: --skip transcripts::'

# Prints the sum of the tests that the `test result:` lines of log $1 count as $2 (`passed` or `failed`).
count() {
    sed -n "s/^test result: .* \([0-9][0-9]*\) $2;.*/\1/p" "$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Runs the tests on version $1, whose binaries are in $2, and prints its row of the table. Fails if a test does.
on_version() {
    log=$target/matrix-$1.log
    bin=$2
    server=$("$bin/postgres" --version | sed 's/^postgres (PostgreSQL) //')
    began=$(date +%s)
    template=$(scripts/initdb-template.sh "$bin")
    result=ok
    # The names are separate words. DATABASE_URL would name one server for all versions.
    # shellcheck disable=SC2086
    env -u DATABASE_URL PG_BIN="$bin" MIGRATE_INITDB_TEMPLATE="$template" cargo test --workspace --no-fail-fast \
        $tests -- $always >"$log" 2>&1 || result=FAILED
    rm -rf "${template%/data}"
    passed=$(count "$log" passed)
    # A run without a single test proves nothing.
    [ "$passed" -gt 0 ] || result=FAILED
    echo "| $1 | $server | $result | $passed | $(count "$log" failed) | $(($(date +%s) - began)) |"
    [ "$result" = ok ]
}

# Built before the first version, so that its time counts for none; with the features of the whole workspace, so that
# what `cargo test --workspace` has built is not built again.
# shellcheck disable=SC2086
cargo test --workspace $tests --no-run

# At the same time, since a run waits more than it computes.
runs=
for version in "$@"; do
    code=0
    bin=$(scripts/get-postgres.sh "$version") || code=$?
    if [ "$code" = 3 ]; then
        table="$table
| $version | not fetched: no registry answers | not run | 0 | 0 | 0 |"
        continue
    fi
    [ "$code" = 0 ] || exit "$code"
    on_version "$version" "$bin" >"$target/matrix-$version.row" &
    runs="$runs $version:$!"
done
for run in $runs; do
    version=${run%:*}
    if ! wait "${run##*:}"; then
        status=1
        echo "PostgreSQL $version failed, log in $target/matrix-$version.log"
        sed -n -e '/^failures:$/,/^test result:/p' -e '/^error/p' "$target/matrix-$version.log" | head -n 400
    fi
    table="$table
$(cat "$target/matrix-$version.row")"
done

printf '\n%s\n' "$table"
exit "$status"
