#!/bin/sh
# A host that ends with a dot, parsed for rustls (rustls-pki-types 1.15.1 and 1.16.0).
#
# Guess: a minor release of the parser keeps what it returns, so a verifier that compares the host as it is written, as
# libpq does with `sslmode=verify-full`, refuses `db.example.` with every version.
# Seen: 1.15.1 returns `db.example.`, 1.16.0 returns `db.example`: after `cargo update` no verifier sees the dot, and one
# that compares as libpq does accepts what it refused before.
set -eu
. "$(dirname "$0")/lib/setup.sh"

# of_version VERSION: what the parser returns.
of_version() {
    echo "rustls-pki-types = { version = \"=$1\", features = [\"std\"] }" | rust_service
    echo 'fn main() {
    let name = rustls_pki_types::ServerName::try_from("db.example.").unwrap();
    println!("{}", name.to_str());
}' >"$work/service/src/main.rs"
    rm -f "$work/service/Cargo.lock"
    build_service
    "$service"
}

expect "name parsed by 1.15.1" db.example. "$(of_version 1.15.1)"
expect "name parsed by 1.16.0" db.example "$(of_version 1.16.0)"
as_stated "a minor release of the parser removes the dot at the end of a host"
