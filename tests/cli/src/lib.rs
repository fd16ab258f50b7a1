//! What the tests of the command line share: the binary `migrate`.
//! It is built once a process, into the folder that the test was built into.
//! It is not a program of this package on purpose: users get it from the library's.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary `migrate`.
///
/// # Panics
///
/// When it cannot be built.
pub fn migrate() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = env::current_exe().expect("the test's path");
        // <target>/<profile>/deps/<test>
        let folder = test.ancestors().nth(2).expect("a folder");
        let profile = match folder.file_name().expect("a name").to_str().expect("UTF-8") {
            "debug" => "dev",
            other => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "-p", "migrate-runtime", "--features", "cli"]);
        command.args(["--bin", "migrate", "--profile", profile]);
        command.arg("--target-dir").arg(folder.parent().expect("a folder"));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        // As `migrate_tests::cargo` does, and for the same reason.
        for (name, _) in env::vars_os() {
            let variable = name.to_string_lossy();
            let is_package =
                variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_");
            if is_package || variable == "OUT_DIR" {
                command.env_remove(&name);
            }
        }
        let output = command.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.join("migrate")
    })
}
