# Runs one throwaway server and outlives the process that asked for it, by however little.
# Takes the folder to create ($1) and the folder of the binaries ($2); standard input is a pipe whose other
# end only the parent holds. Its end of file means that the parent is done or dead, SIGKILL included.
# It runs as the server's own user, who may therefore signal the server and remove the folder.
# With a number of seconds behind them ($3), the server is one that processes share: they come and go through
# the pipe `users` in its folder, and it stays so long after the last of them has gone, by whatever death.
umask 077
trap '' HUP INT TERM
mkdir "$1" || exit 1
exec 3<&0 </dev/null >>"$1/log" 2>&1

# Leaves the folder to the parent, which reads the log in it, until the parent lets go.
finish() {
    echo "$2" >"$1/ended"
    while read -r _ <&3; do :; done
    rm -rf "$1" || { sleep 1; rm -rf "$1"; }
    # Whoever waits for this process may look for its helper next.
    wait
    exit 0
}

signal() {
    [ -e "$1/data" ] && [ ! -e "$1/ended" ] && kill -s "$2" "$server"
}

# Sends a signal for up to five seconds, until the server has ended. Again and again, because a server that
# is only just starting still ignores it.
ends_by() {
    tries=0
    while signal "$1" "$2"; do
        [ "$tries" -lt 100 ] || return 1
        tries=$((tries + 1))
        sleep 0.05
    done
}

# Fast shutdown first; sessions that hang get the immediate one, and a server that hangs SIGKILL.
stop_when_let_go() {
    while read -r _ <&3; do :; done
    ends_by "$1" INT || ends_by "$1" QUIT || ends_by "$1" KILL
}

# Answers each who joins, and returns when nobody has held the pipe for $2 seconds. Who joins counts as a
# user only when answered: so nobody relies on a server that has just decided to go.
until_unused() {
    # For reading and writing first, because opening for reading alone waits for a writer.
    exec 5<>"$1/users" 4<"$1/users" 5>&-
    idle=0
    # Whoever started the server has ten seconds to join it.
    limit=50
    # Without its pipe the folder is gone, and the server with it.
    while [ "$idle" -le "$limit" ] && [ -e "$1/users" ]; do
        # Waits while anybody holds the pipe, and fails at once when nobody does.
        if read -r verb name <&4; then
            idle=0
            case $verb in
            join)
                # An hour that somebody asked for stays.
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

# Without syncing: nobody reads this folder after a crash. The server itself keeps fsync on.
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync || finish "$1" initdb

printf '%s\n' \
    "listen_addresses = ''" \
    "unix_socket_directories = '$1'" \
    "port = 5432" \
    "max_connections = 200" \
    "timezone = 'UTC'" \
    "log_timezone = 'UTC'" >>"$1/data/postgresql.conf" || finish "$1" server

# Many processes' tests have to fit, perhaps into memory, and a crash of the machine takes them along. A
# database is copied file by file, and 74 of the catalogs' 298 are maps of free space and of visibility, of
# which the server needs none: a copy takes 14.6 ms instead of 16.5. What gained nothing: wal_level =
# minimal, another size of shared_buffers, autovacuum = off, log_checkpoints = off, VACUUM FULL of the
# template; VACUUM FREEZE makes the maps again.
[ -z "$3" ] || {
    mkfifo "$1/users" &&
        rm -f "$1"/data/base/*/*_fsm "$1"/data/base/*/*_vm &&
        printf '%s\n' "max_connections = 500" "fsync = off" "full_page_writes = off" \
            "min_wal_size = 32MB" "max_wal_size = 256MB" >>"$1/data/postgresql.conf"
} || finish "$1" server

"$2/postgres" -D "$1/data" 3<&- &
server=$!
if [ -n "$3" ]; then stop_when_unused "$1" "$3" & else stop_when_let_go "$1" & fi
wait "$server"
finish "$1" server
