//! The command line on a terminal, over TLS, and in transcripts of every verb.

mod at_once;
mod cluster;
mod convert;
mod databases;
mod deploy;
mod running;
mod terminal;
mod tls;
mod transcripts;

use std::fs;

use tempfile::TempDir;

/// A folder with these files in `migrations`.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("migrations")).expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join("migrations").join(name), text).expect("a file");
    }
    folder
}
