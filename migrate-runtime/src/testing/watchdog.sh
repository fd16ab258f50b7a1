# Runs one throwaway server and outlives the process that asked for it, by however little.
# Takes the folder to create ($1) and the folder of the binaries ($2); standard input is a pipe whose other
# end only the parent holds. Its end of file means that the parent is done or dead, SIGKILL included.
# It runs as the server's own user, who may therefore signal the server and remove the folder.
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

# Without syncing: nobody reads this folder after a crash. The server itself keeps fsync on.
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync || finish "$1" initdb

printf '%s\n' \
    "listen_addresses = ''" \
    "unix_socket_directories = '$1'" \
    "port = 5432" \
    "max_connections = 200" \
    "timezone = 'UTC'" \
    "log_timezone = 'UTC'" >>"$1/data/postgresql.conf" || finish "$1" server

"$2/postgres" -D "$1/data" 3<&- &
server=$!
stop_when_let_go "$1" &
wait "$server"
finish "$1" server
