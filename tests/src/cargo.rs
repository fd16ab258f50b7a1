//! Programs that call cargo, as from a shell.

use std::env;
use std::process::Command;

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
