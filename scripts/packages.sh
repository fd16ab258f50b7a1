#!/usr/bin/env bash
# Builds every published crate from its own `.crate` file, as a distributor does: unpacked outside the
# repository, with vendored dependencies, offline. Then it installs the program `migrate` from its package,
# and packages a library that embeds migrations and builds that from its package. It needs the network only
# to vendor, prints a line for each step, and fails at the first step that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

crates=(migrate-set migrate-source migrate-macros migrate-runtime migrate-testing migrate-cli)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
vendor=$work/vendor
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL=0
# As in a release, and a twentieth less to compile.
export CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false

fail() {
    echo "packages: $1" >&2
    exit 1
}

# Unpacks a package where cargo looks for dependencies. With an empty list of files cargo checks none.
unpack() {
    tar -xzf "$1" -C "$vendor"
    printf '{"files":{},"package":"%s"}' "$(sha256sum "$1" | cut -d' ' -f1)" \
        >"$vendor/$(basename "$1" .crate)/.cargo-checksum.json"
}

package() {
    # Cargo would need the network to verify; the steps below verify without it.
    cargo package --quiet --no-verify --allow-dirty "$@"
}

selection=()
for crate in "${crates[@]}"; do selection+=(-p "$crate"); done
package "${selection[@]}"

cargo vendor --quiet --locked --versioned-dirs "$vendor" >/dev/null
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
for crate in "${crates[@]}"; do
    archive=$work/target/package/$crate-$version.crate
    for file in README.md LICENSE-MIT LICENSE-APACHE; do
        # Not `grep -q`, which closes the pipe while tar is still writing.
        tar -tzf "$archive" | grep -x "$crate-$version/$file" >/dev/null || fail "$crate has no $file"
    done
    unpack "$archive"
    echo "packaged  $crate $version, $(($(wc -c <"$archive") / 1024)) KiB"
done

# From here on nothing comes from the network, and nothing from the repository.
mkdir -p "$work/built/.cargo"
cat >"$work/built/.cargo/config.toml" <<END
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$vendor"
[net]
offline = true
END
cd "$work/built"

for crate in "${crates[@]}"; do
    cp -r "$vendor/$crate-$version" .
    rm "$crate-$version/.cargo-checksum.json"
    (cd "$crate-$version" && cargo build --quiet --all-features --offline)
    echo "built     $crate $version from its package, offline"
done

(cd "migrate-cli-$version" && cargo install --quiet --debug --offline --locked --path . --root "$work/installed")
"$work/installed/bin/migrate" --version >/dev/null || fail 'the installed program does not start'
echo "installed migrate from its package"

# A library crate whose package has to include its migrations.
cargo new --quiet --lib --vcs none shop
mkdir shop/migrations
echo 'CREATE TABLE users (id bigint PRIMARY KEY);' >shop/migrations/001_create_users.sql
cat >shop/build.rs <<'END'
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
END
cat >shop/src/lib.rs <<'END'
use migrate_runtime::{Migrations, embed_migrations};

pub static MIGRATIONS: Migrations = embed_migrations!("migrations");

#[test]
fn the_set_is_there() {
    assert_eq!(MIGRATIONS.len(), 1);
}
END
cat >>shop/Cargo.toml <<END
migrate-runtime = "$version"
END
(cd shop && package --offline)
archive=$work/target/package/shop-0.1.0.crate
tar -tzf "$archive" | grep -x shop-0.1.0/migrations/001_create_users.sql >/dev/null ||
    fail 'the package of a library does not include its migrations'
tar -xzf "$archive" -C "$work/built"
cd "$work/built/shop-0.1.0"
result=$(cargo test --quiet --offline --lib)
grep '1 passed' <<<"$result" >/dev/null || fail "the unpacked library does not embed its migrations: $result"
echo 'packaged  a library with its migrations, and built it from its package'
