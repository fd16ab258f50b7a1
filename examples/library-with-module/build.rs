//! Builds the service again when a migration is added to either set, or removed.

fn main() {
    println!("cargo::rerun-if-changed=accounts");
    println!("cargo::rerun-if-changed=migrations");
}
