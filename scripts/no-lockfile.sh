#!/usr/bin/env bash
# Builds and runs programs that use the library without its Cargo.lock, as a new user's do, and prints a table of them.
# Each resolves its dependencies as cargo does by itself, to the newest versions whatever Rust they ask for, for the
# oldest Rust that its features support, and to the lowest version of each direct dependency that the manifests of the
# published crates allow. Each migrates a database.
# Takes the names of programs (default: all). Needs python3, and PostgreSQL server binaries unless DATABASE_URL is set.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

# program | features | oldest Rust | its dependencies with `; ` between, where @ is this folder and "*" is every feature of the first
cases=(
    'service | default | 1.94 | migrate-runtime = { path = "@/migrate-runtime" }'
    'service | none    | 1.88 | migrate-runtime = { path = "@/migrate-runtime", default-features = false }'
    'address | connect | 1.94 | migrate-runtime = { path = "@/migrate-runtime", features = ["connect"] }'
    'service | all     | 1.94 | migrate-runtime = { path = "@/migrate-runtime", features = ["*"] }; migrate-testing = { path = "@/migrate-testing" }; migrate-cli = { path = "@/migrate-cli" }'
)
editions=(2021 2024)
resolutions=(cargo newest oldest lowest)

main_of_service() {
    cat <<'RUST'
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use tokio_postgres::{Client, Config, NoTls};

static MIGRATIONS: Migrations = embed_migrations!("migrations");

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config: Config = std::env::var("DATABASE_URL")?.parse()?;
    let server = connect(&config).await?;
    let name = format!("no_lockfile_{}", std::process::id());
    server.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let mut client = connect(config.dbname(&name)).await?;
    println!("{}", Migrator::new(&MIGRATIONS).run(&mut client).await?);
    let users: i64 = client.query_one("SELECT count(*) FROM users", &[]).await?.get(0);
    server.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    if users == 1 { Ok(()) } else { Err(format!("{users} rows, not 1").into()) }
}
RUST
}

# From an address alone; a later dbname replaces that of the address.
main_of_address() {
    cat <<'RUST'
use migrate_runtime::{Migrations, Migrator, connect, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("migrations");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let server = connect(&url).await?;
    let name = format!("no_lockfile_{}", std::process::id());
    server.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let glue = if !url.contains("://") { ' ' } else if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{glue}dbname={name}");
    println!("{}", Migrator::new(&MIGRATIONS).run_url(&url).await?);
    let users: i64 = connect(&url).await?.query_one("SELECT count(*) FROM users", &[]).await?.get(0);
    server.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    if users == 1 { Ok(()) } else { Err(format!("{users} rows, not 1").into()) }
}
RUST
}

fail() {
    echo "no-lockfile: $1" >&2
    echo "help: $2" >&2
    exit 1
}

command -v python3 >/dev/null || fail 'python3 is not on PATH' 'install the package of that name'

# Not below the workspace, whose lock file it would use.
work=$(mktemp -d)
work=$(cd "$work" && pwd -P)
bin=
# PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}
clean() {
    [ ! -e "$work/server/data/postmaster.pid" ] ||
        as_owner "$bin/pg_ctl" -D "$work/server/data" -m immediate -w stop >/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never

start_server() {
    local folder
    for folder in "${PG_BIN:-}" "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin; do
        if [ -x "$folder/initdb" ]; then bin=$folder; fi
    done
    [ -n "$bin" ] || fail 'no PostgreSQL server binaries' 'install them, or set PG_BIN to what scripts/get-postgres.sh prints'
    chmod 711 "$work"
    mkdir "$work/server"
    [ "$(id -u)" != 0 ] || chown nobody "$work/server"
    (cd / && as_owner "$bin/initdb" -D "$work/server/data" -U postgres -A trust --no-sync) >"$work/initdb.log" ||
        fail "initdb failed: $(tail -n 1 "$work/initdb.log")" 'look at its message above'
    (cd / && as_owner "$bin/pg_ctl" -D "$work/server/data" -l "$work/server/log" -w start \
        -o "-c listen_addresses='' -c unix_socket_permissions=0700 -c fsync=off -k $work/server") >/dev/null ||
        fail 'the server does not start' 'run the script again with DATABASE_URL set'
    export DATABASE_URL="host=$work/server user=postgres dbname=postgres"
}
[ -n "${DATABASE_URL:-}" ] || start_server

# Two files: `crate feature` for each feature, and `dependency version` for each requirement's lowest version.
cargo metadata --no-deps --format-version 1 >"$work/metadata"
python3 - "$work" <<'PYTHON'
import json, re, sys

work = sys.argv[1]
with open(f"{work}/metadata") as file:
    packages = [p for p in json.load(file)["packages"] if p["publish"] is None]
with open(f"{work}/features", "w") as file:
    for package in packages:
        for feature in package["features"]:
            print(package["name"], feature, file=file)
lowest = set()
for package in packages:
    for dependency in package["dependencies"]:
        if dependency["source"] and dependency["kind"] != "dev":
            bound = re.match(r"(?:\^|~|=|>=)?\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?", dependency["req"])
            if not bound:
                sys.exit(f"no lower bound: {dependency['name']} = {dependency['req']!r}")
            lowest.add((dependency["name"], ".".join(part or "0" for part in bound.groups())))
if not lowest:
    sys.exit("the published crates have no dependencies: is the metadata of another form?")
with open(f"{work}/lowest", "w") as file:
    for name, version in sorted(lowest):
        print(name, version, file=file)
PYTHON

# A package of the given program, edition and dependencies, without a lock file. Besides this library all ask for the
# features that the whole workspace asks for, so that they share what it has compiled; scripts/packages.sh builds each
# crate with what it asks for by itself.
package() {
    local folder=$1 program=$2 edition=$3 dependencies=$4
    mkdir -p "$folder/src" "$folder/migrations"
    "main_of_$program" >"$folder/src/main.rs"
    echo 'CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1);' >"$folder/migrations/001_create_users.sql"
    cat >"$folder/Cargo.toml" <<TOML
[package]
name = "no-lockfile-$program"
edition = "$edition"

[dependencies]
futures-util = { version = "0.3", default-features = false, features = ["alloc", "slab"] }
libc = { version = "0.2", features = ["extra_traits"] }
once_cell = "1"
rustix = { version = "1", features = ["fs", "process", "termios", "time"] }
smallvec = { version = "1", features = ["const_generics", "const_new"] }
tokio = { version = "1", features = ["full"] }
tokio-postgres = "0.7"
tracing = { version = "0.1", features = ["log"] }
$dependencies

[build-dependencies]
migrate-source = { path = "$root/migrate-source", features = ["command-line", "create"] }
syn = { version = "2", features = ["extra-traits", "full", "visit-mut"] }
unicode-width = "0.2"
TOML
}

# Fails where a package of the lock file asks for a newer Rust than the given one.
supports() {
    cargo metadata --locked --format-version 1 --manifest-path "$1/Cargo.toml" >"$1/metadata" &&
        python3 - "$1/metadata" "$2" <<'PYTHON'
import json, sys

def version(text):
    return tuple(int(part) for part in text.split("."))

with open(sys.argv[1]) as file:
    packages = json.load(file)["packages"]
newer = [p for p in packages if version(p["rust_version"] or "0")[:2] > version(sys.argv[2])]
for package in newer:
    print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}, not {sys.argv[2]}")
sys.exit(bool(newer))
PYTHON
}

# Writes the lock file of a package. For the lowest versions, those of the direct dependencies that the program really
# has are required exactly, for a target that does not exist: so they are resolved together, and turn on nothing.
resolve() {
    local folder=$1 resolution=$2 oldest=$3
    local how=(cargo generate-lockfile --quiet --manifest-path "$folder/Cargo.toml")
    case $resolution in
        newest) CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=allow "${how[@]}" ;;
        cargo) "${how[@]}" ;;
        oldest)
            sed -i.bak "s/^edition = .*/&\nrust-version = \"$oldest\"/" "$folder/Cargo.toml"
            CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback "${how[@]}" && supports "$folder" "$oldest"
            ;;
        lowest)
            "${how[@]}" || return
            local name version
            {
                printf "\n[target.'cfg(any())'.dependencies]\n"
                while read -r name version; do
                    if grep -qx "name = \"$name\"" "$folder/Cargo.lock"; then
                        echo "$name = { version = \"=$version\", default-features = false }"
                    fi
                done <"$work/lowest"
            } >>"$folder/Cargo.toml"
            rm "$folder/Cargo.lock"
            "${how[@]}"
            ;;
    esac
}

status=0 number=0 seconds=$SECONDS
table='| # | program | features | edition | versions | packages | result | seconds |
|---|---|---|---|---|---|---|---|'
declare -A seen

row() {
    table+=$'\n'"| $number | $program | $features | $edition | $resolution | $(grep -c '^name = ' "$folder/Cargo.lock" 2>/dev/null || true) | $1 | $((SECONDS - began)) |"
    echo "$number: $program, $features, $edition, $resolution: $1"
    case $1 in FAILED*) status=1 && tail -n 40 "$folder/log" >&2 ;; esac
}

for resolution in "${resolutions[@]}"; do
    for case in "${cases[@]}"; do
        IFS='|' read -r program features oldest dependencies <<<"$case"
        program=${program// /} features=${features// /} oldest=${oldest// /}
        [ $# = 0 ] || [[ " $* " == *" $program "* ]] || continue
        dependencies=${dependencies//@/$root}
        dependencies=${dependencies//; /$'\n'}
        if [[ $dependencies == *'"*"'* ]]; then
            crate=${dependencies%% = *}
            all=$(awk -v crate="${crate// /}" '$1 == crate { printf "%s\"%s\"", sep, $2; sep = ", " }' "$work/features")
            dependencies=${dependencies/'"*"'/$all}
        fi
        for edition in "${editions[@]}"; do
            number=$((number + 1)) began=$SECONDS
            folder=$work/$number
            package "$folder" "$program" "$edition" "$dependencies"
            if ! resolve "$folder" "$resolution" "$oldest" >"$folder/log" 2>&1; then
                row 'FAILED to resolve'
                continue
            fi
            key="$program $features $edition $(cksum <"$folder/Cargo.lock")"
            if [ -n "${seen[$key]:-}" ]; then
                row "same versions as ${seen[$key]}"
                continue
            fi
            build=(cargo build --quiet --locked --manifest-path "$folder/Cargo.toml")
            [ "$resolution" != newest ] || build+=(--ignore-rust-version)
            if ! "${build[@]}" >"$folder/log" 2>&1; then
                row 'FAILED to build'
            elif ! (cd "$folder" && timeout 60 "$CARGO_TARGET_DIR/debug/no-lockfile-$program") >"$folder/log" 2>&1; then
                row 'FAILED to run'
            else
                seen[$key]=$number
                row ok
            fi
        done
    done
done
[ "$number" -gt 0 ] || fail "no program is called \`$*\`" 'give the first word of a row of the table in this script'

printf '\n%s\n\n%s with %s, %s s\n' "$table" "$(cargo --version)" "$(rustc --version)" "$((SECONDS - seconds))"
exit "$status"
