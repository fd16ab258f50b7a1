//! Builds the service again when a migration is added or removed.
//! Cargo detects edits of embedded files without it, but not new files in the folder.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
