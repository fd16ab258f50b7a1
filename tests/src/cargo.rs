//! Programs that call cargo, as from a shell.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Removes the variables that cargo sets for the test's own package.
///
/// Build scripts read them, such as that of ring. With the test's values such a script runs again, so that
/// everything that depends on it is built again, and once more by the next `cargo test`.
pub fn as_from_a_shell(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_package = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        // Nor is a shell where a test runs a service for continuous integration.
        if is_package || text == "OUT_DIR" || text == "CI" {
            command.env_remove(&name);
        }
    }
    command
}

/// A program of this workspace, or `examples/from`, built into the folder that this test or program was built into.
///
/// All are built, once a process, with the features of their dependencies that `cargo test --workspace` chooses, which
/// has built these already: for a program alone, cargo chooses fewer and builds each again.
///
/// # Panics
///
/// When they do not build.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let own = env::current_exe().expect("our own path");
        // <target>/<profile>/deps/<test>, or <target>/<profile>/<program>
        let folder = own.parent().expect("a folder");
        let folder =
            if folder.ends_with("deps") { folder.parent().expect("a profile") } else { folder };
        let profile = if folder.ends_with("debug") {
            "dev".as_ref()
        } else {
            folder.file_name().expect("a profile")
        };
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Without an example, cargo leaves out the features that dev-dependencies ask for.
        command.args(["build", "--quiet", "--workspace", "--bins", "--example", "from"]);
        command.arg("--profile").arg(profile);
        command.arg("--target-dir").arg(folder.parent().expect("the target folder"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
        let output = as_from_a_shell(&mut command).output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.to_owned()
    });
    folder.join(name)
}
