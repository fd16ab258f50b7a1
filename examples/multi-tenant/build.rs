//! Has the service built again when a migration is added or removed.
//! Edits of embedded files are noticed without it; new files in the folder are not.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
