#!/bin/sh
# Makes a data folder with the server binaries in folder $1, and prints its path: with it in MIGRATE_INITDB_TEMPLATE a
# throwaway server copies the folder, for a tenth of the processor time of `initdb`. It is in a folder of its own, which
# the caller removes.
set -eu
bin=$1
folder=$(mktemp -d)
chmod 711 "$folder"
# PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}
[ "$(id -u)" != 0 ] || chown nobody "$folder"
output=$(cd / && as_owner "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync 2>&1) || {
    printf '%s\n' "$output" >&2
    rm -rf "$folder"
    exit 1
}
# Another account may run the server.
chmod -R a+rX "$folder/data"
echo "$folder/data"
