# Runs one throwaway server, and removes it after the process that started it has ended.
# $1 is the folder to create, $2 the folder of the binaries; standard input is a pipe whose other end only
# the parent holds. Its end of file means that the parent is done or dead, SIGKILL included.
# It runs as the server's own user, who can therefore signal the server and remove the folder.
# If $3 is a number of seconds, processes share the server: they join through the pipe `users` in its folder,
# and it runs this long after the last of them has ended, however that was. $4 is their register, which names
# this folder.
umask 077
trap '' HUP INT TERM
mkdir "$1" || exit 1
exec 3<&0 </dev/null >>"$1/log" 2>&1

# Keeps the folder, whose log the parent reads, until the parent closes the pipe.
finish() {
    echo "$2" >"$1/ended"
    while read -r _ <&3; do :; done
    # It names another folder if the next server has started in the meantime.
    [ "$(cat "$3" 2>&-)" != "$1" ] || rm -f "$3"
    rm -rf "$1" || { sleep 1; rm -rf "$1"; }
    # The helper has to end first: a test that waits for this process then looks for its helper.
    wait
    exit 0
}

signal() {
    [ -e "$1/data" ] && [ ! -e "$1/ended" ] && kill -s "$2" "$server"
}

# Sends a signal for up to five seconds, until the server has ended. It repeats the signal, because a
# server that has just started ignores it.
ends_by() {
    tries=0
    while signal "$1" "$2"; do
        [ "$tries" -lt 100 ] || return 1
        tries=$((tries + 1))
        sleep 0.05
    done
}

# Fast shutdown first, then immediate shutdown if sessions hang, then SIGKILL if the server hangs.
stop_when_let_go() {
    while read -r _ <&3; do :; done
    ends_by "$1" INT || ends_by "$1" QUIT || ends_by "$1" KILL
}

# Acknowledges each process that joins, and returns when no process has held the pipe for $2 seconds. A
# process is a user only once it is acknowledged, so that none relies on a server that is about to stop.
until_unused() {
    # For reading and writing first, because opening for reading only waits for a writer.
    exec 5<>"$1/users" 4<"$1/users" 5>&-
    idle=0
    # The process that started the server has ten seconds to join it.
    limit=50
    # Without the pipe the folder is gone, and the server with it.
    while [ "$idle" -le "$limit" ] && [ -e "$1/users" ]; do
        # Waits while a process holds the pipe, and fails at once if none does.
        if read -r verb name <&4; then
            idle=0
            case $verb in
            join)
                # An hour that a process asked for is not shortened.
                [ "$limit" = 18000 ] || limit=$(($2 * 5))
                : >"$1/joined-$name"
                ;;
            keep) limit=18000 ;;
            esac
        else
            idle=$((idle + 1))
            sleep 0.2
        fi
    done
    rm -f "$1/users"
}

stop_when_unused() {
    until_unused "$1" "$2"
    ends_by "$1" INT || ends_by "$1" QUIT || ends_by "$1" KILL
}

# Without syncing: this folder is not used after a crash. The server itself runs with fsync.
if [ -n "$MIGRATE_INITDB_TEMPLATE" ]; then
    echo "copying the folder of MIGRATE_INITDB_TEMPLATE, $MIGRATE_INITDB_TEMPLATE"
    cp -R "$MIGRATE_INITDB_TEMPLATE" "$1/data"
else
    "$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync
fi || finish "$1" initdb "$4"

printf '%s\n' \
    "listen_addresses = ''" \
    "unix_socket_directories = '$1'" \
    "port = 5432" \
    "max_connections = 200" \
    "timezone = 'UTC'" \
    "log_timezone = 'UTC'" >>"$1/data/postgresql.conf" || finish "$1" server "$4"

# The tests of many processes have to fit, perhaps into memory, and their data is not needed after a crash.
# A database is copied file by file, and 74 of the catalogs' 298 files are maps of free space and of
# visibility, which the server does not need: a copy takes 14.6 ms instead of 16.5. No gain: wal_level =
# minimal, another size of shared_buffers, autovacuum = off, log_checkpoints = off, VACUUM FULL of the
# template; VACUUM FREEZE creates the maps again.
[ -z "$3" ] || {
    mkfifo "$1/users" &&
        rm -f "$1"/data/base/*/*_fsm "$1"/data/base/*/*_vm &&
        printf '%s\n' "max_connections = 500" "fsync = off" "full_page_writes = off" \
            "min_wal_size = 32MB" "max_wal_size = 256MB" >>"$1/data/postgresql.conf"
} || finish "$1" server "$4"

"$2/postgres" -D "$1/data" 3<&- &
server=$!
if [ -n "$3" ]; then stop_when_unused "$1" "$3" & else stop_when_let_go "$1" & fi
wait "$server"
finish "$1" server "$4"
