//! A run over TLS is cancelled over TLS.

use std::fs;
use std::process::Command;

use migrate_tests::cargo::program;

use super::Stage;
use crate::running::{Running, SLEEPING};
use migrate_tests::database::value;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_over_tls() {
    let stage = Stage::set().await;
    stage.run("GRANT CREATE ON SCHEMA public TO tls").await;
    let folder = stage.folder.path();
    fs::create_dir(folder.join("migrations")).expect("a folder");
    fs::write(folder.join("migrations/1_a.sql"), "SELECT pg_sleep(600);").expect("a file");
    let mut up = Command::new(program("migrate"));
    let address = stage.address("tls", "sslmode=verify-full sslrootcert=ours.pem");
    up.arg("up").current_dir(folder).env("DATABASE_URL", address);
    let up = Running::start(up);
    up.wait_for_sleep(&stage.server).await;
    let (code, text) = up.end_by("TERM");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("migrations/1_a.sql:1:1: canceling statement"), "{text}");
    assert_eq!(value(&stage.server, SLEEPING).await, "0", "the statement still runs");
}
