# What each finding sources: a folder that goes at exit, a throwaway server, pinned packages, the verdict.
# The finding sets `set -eu` and sources this file; its folder is in $work, the client program in node_modules.

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/finding-XXXXXX")
pids=

# Ends what this script started, by pid, and removes its folder.
clean_up() {
    for pid in $pids; do
        kill -INT "$pid" 2>/dev/null || continue
        tries=0
        while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# The work folder is open to the account that root's server runs as.
chmod 755 "$work"

as_stated() {
    echo "as stated: $1"
}

# Ends the script: the software no longer does what the header states.
changed() {
    echo "CHANGED: $1" >&2
    exit 1
}

# expect WHAT STATED SEEN
expect() {
    [ "$3" = "$2" ] || changed "$1: stated \`$2\`, seen \`$3\`"
    echo "$1: $3"
}

# The account that runs servers: the caller, or for root the first of two that exist.
account() {
    if [ "$(id -u)" != 0 ]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# As that account, in place of this shell.
as_account() {
    if [ "$(id -u)" = 0 ]; then
        exec su "$(account)" -s /bin/sh -c 'exec "$0" "$@"' -- "$@"
    fi
    exec "$@"
}

# npm_install PACKAGE@VERSION...: into $work, without scripts of the packages.
npm_install() {
    npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error "$@" >/dev/null
}

# node-postgres, and client.cjs beside it.
install_client() {
    npm_install pg@8.23.1
    cp "$root/findings/lib/client.cjs" "$work"
}

# unpack_deb FOLDER PACKAGE=VERSION...: downloads Debian packages, verified by apt, and unpacks them there.
unpack_deb() {
    folder=$1
    shift
    mkdir -p "$folder" "$work/debs"
    (cd "$work/debs" && apt-get download -qq -o APT::Sandbox::User=root "$@" >/dev/null) || {
        echo "apt-get cannot download $*: run it on Debian 12, after apt-get update" >&2
        exit 1
    }
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$folder"; done
    rm -rf "$work/debs"
}

# init_server BIN VERSION: a server of that version, which does not run, in $home; its superuser is postgres.
init_server() {
    bin=$1 home=$work/$2
    seen=$("$bin/postgres" --version | sed 's/^[^0-9]*//; s/ .*//')
    [ "$seen" = "$2" ] || changed "the server is PostgreSQL $seen, not $2"
    mkdir "$home"
    if [ "$(id -u)" = 0 ]; then chown "$(account)" "$home"; fi
    (as_account "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C --no-sync) >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
}

# run_server HOME [SETTING...]: runs it until the script ends; its socket is in $PGHOST.
run_server() {
    PGHOST=$1 PGUSER=postgres PGDATABASE=postgres
    export PGHOST PGUSER PGDATABASE
    unset DATABASE_URL PGPORT PGOPTIONS PGSERVICE 2>/dev/null || true
    shift
    (as_account "$bin/postgres" -D "$PGHOST/data" -k "$PGHOST" -c listen_addresses= -c fsync=off "$@") >>"$work/log" 2>&1 &
    tries=0
    # The status is in line 8 of the file; a standby has its own.
    until sed -n 8p "$PGHOST/data/postmaster.pid" 2>/dev/null | grep -q '^ready\|^standby'; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
    pids="$(sed -n 1p "$PGHOST/data/postmaster.pid") $pids"
}

# start_server BIN VERSION [SETTING...]
start_server() {
    init_server "$1" "$2"
    shift 2
    run_server "$home" "$@"
}

# server_18: PostgreSQL 18.4 of this project's own script.
server_18() {
    start_server "$("$root/scripts/get-postgres.sh" 18 | tail -n 1)" 18.4 "$@"
}

# unpack_15_20: PostgreSQL 15.20 of Debian 12's security archive, in $programs; those of its clients need $libraries.
unpack_15_20() {
    unpack_deb "$work/debian" postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1
    libraries=$(dirname "$(find "$work/debian" -name 'libpq.so.5')")
    programs=$work/debian/usr/lib/postgresql/15/bin
}

# server_15_20: the same as a server that runs, and for all programs from here on.
server_15_20() {
    unpack_15_20
    LD_LIBRARY_PATH=$libraries
    export LD_LIBRARY_PATH
    start_server "$programs" 15.20 "$@"
}

# rust_service: a package in $work/service, with the dependencies that are on standard input.
rust_service() {
    mkdir -p "$work/service/src"
    {
        printf '%s\n' "[workspace]" "[package]" 'name = "service"' 'version = "0.0.0"' 'edition = "2024"' \
            "[profile.dev]" "debug = false" "[dependencies]"
        cat
    } >"$work/service/Cargo.toml"
}

# build_service: builds it, as $service.
build_service() {
    (cd "$work/service" && CARGO_TARGET_DIR="$work/target" cargo build --quiet) >"$work/log.build" 2>&1 ||
        { cat "$work/log.build" >&2; exit 1; }
    service=$work/target/debug/service
}

# await_pooler PORT FILE: waits for the socket in $pooler; the file there has the number of the process.
await_pooler() {
    tries=0
    until [ -S "$pooler/.s.PGSQL.$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { cat "$work/log.pooler" >&2; exit 1; }
        sleep 0.1
    done
    pids="$(cat "$pooler/$2") $pids"
}

# start_pgbouncer SETTING...: PgBouncer 1.18 of Debian 12 before the server, on a socket in $pooler; any user is
# postgres there, and of its console.
start_pgbouncer() {
    unpack_deb "$work/debian" pgbouncer=1.18.0-1+deb12u1 libc-ares2=1.18.1-3 libevent-2.1-7=2.1.12-stable-8+deb12u1
    program=$work/debian/usr/sbin/pgbouncer
    libraries=$(dirname "$(find "$work/debian" -name 'libcares.so.2')")
    seen=$(LD_LIBRARY_PATH=$libraries "$program" --version | sed -n 's/^PgBouncer //p')
    [ "$seen" = 1.18.0 ] || changed "the pooler is PgBouncer $seen, not 1.18.0"
    pooler=$work/pooler
    mkdir "$pooler"
    {
        echo "[databases]"
        echo "postgres = host=$PGHOST dbname=postgres user=postgres"
        echo "[pgbouncer]"
        printf '%s\n' "listen_addr =" "unix_socket_dir = $pooler" "auth_type = any" \
            "ignore_startup_parameters = extra_float_digits" "$@"
    } >"$work/pooler.ini"
    if [ "$(id -u)" = 0 ]; then chown "$(account)" "$pooler"; fi
    (as_account env LD_LIBRARY_PATH="$libraries" sh -c 'echo $$ >"$1/pid"; exec "$2" "$3"' - "$pooler" "$program" "$work/pooler.ini") \
        >"$work/log.pooler" 2>&1 &
    await_pooler 6432 pid
}

# start_pgpool SETTING...: Pgpool-II 4.3 of Debian 12, on a socket in $pooler, whose backend 0 is the primary in $home.
start_pgpool() {
    # What it links, in the newest versions.
    unpack_deb "$work/debian" pgpool2=4.3.5-1+deb12u1 libpq5 libmemcached11 libhashkit2
    program=$work/debian/usr/sbin/pgpool
    libraries=$(dirname "$(find "$work/debian" -name 'libpq.so.5')")
    seen=$(LD_LIBRARY_PATH=$libraries "$program" --version 2>&1 | sed -n 's/^pgpool-II version \([0-9.]*\).*/\1/p')
    [ "$seen" = 4.3.5 ] || changed "the pooler is Pgpool-II $seen, not 4.3.5"
    pooler=$work/pooler
    mkdir -p "$pooler/oids"
    printf '%s\n' "listen_addresses = ''" "port = 9999" "socket_dir = '$pooler'" "pcp_listen_addresses = ''" \
        "pcp_socket_dir = '$pooler'" "pid_file_name = '$pooler/pid'" "logdir = '$pooler'" \
        "memqcache_oiddir = '$pooler/oids'" "num_init_children = 4" "max_pool = 1" \
        "backend_clustering_mode = 'streaming_replication'" "sr_check_user = 'postgres'" \
        "backend_hostname0 = '$home'" "backend_port0 = 5432" "backend_flag0 = 'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'" \
        "$@" >"$pooler/conf"
    echo '"postgres" ""' >"$pooler/users"
    if [ "$(id -u)" = 0 ]; then chown -R "$(account)" "$pooler"; fi
    (as_account env LD_LIBRARY_PATH="$libraries" sh -c 'echo $$ >"$1/own"; exec "$2" -n -f "$1/conf" -F "$1/users" -a "$1/users"' - "$pooler" "$program") \
        >"$work/log.pooler" 2>&1 &
    await_pooler 9999 own
}

# start_pgpool_with_standby: the same before a primary in $home and a standby in $standby, which all reads are sent to;
# both are PostgreSQL 18.4.
start_pgpool_with_standby() {
    init_server "$("$root/scripts/get-postgres.sh" 18 | tail -n 1)" 18.4
    standby=$work/standby
    cp -a "$home" "$standby"
    touch "$standby/data/standby.signal"
    run_server "$standby" -c "primary_conninfo=host=$home user=postgres"
    run_server "$home"
    start_pgpool "backend_weight0 = 0" "backend_hostname1 = '$standby'" "backend_port1 = 5432" "backend_weight1 = 1" \
        "backend_flag1 = 'DISALLOW_TO_FAILOVER'" "load_balance_mode = on"
}
