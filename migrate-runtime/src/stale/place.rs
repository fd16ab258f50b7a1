//! Where the folder of a set is now: a project can have moved with its build, and two checkouts can share
//! one. Cargo then runs what it built elsewhere.

use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use migrate_set::set::Origin;

/// The folder below the running project, or else the one that the set was embedded from. `shown` is the
/// argument of the macro.
pub(super) fn folder(origin: &Origin, shown: &str) -> PathBuf {
    let embedded = || PathBuf::from(origin.folder);
    let Some(manifest) = origin.folder.strip_suffix(shown) else { return embedded() };
    // Cargo sets the variable for what it runs.
    let running = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let starts = [running, env::current_dir().ok(), env::current_exe().ok()];
    let found = starts.into_iter().flatten().find_map(|start| {
        crate_near(&start, Path::new(manifest), origin.package).map(|found| found.join(shown))
    });
    found.filter(|folder| folder.is_dir()).unwrap_or_else(embedded)
}

/// The folder of the crate `package` that is nearest to `start`: one above it, or what is below that as
/// `then` was when the crate was built.
fn crate_near(start: &Path, then: &Path, package: &str) -> Option<PathBuf> {
    let parts: Vec<Component<'_>> = then.components().skip(1).collect();
    let below = |above: &Path| {
        let suffixes = (0..=parts.len()).map(|from| parts[from..].iter().collect::<PathBuf>());
        suffixes.map(|suffix| above.join(suffix)).find(|folder| is_crate(folder, package))
    };
    start.ancestors().find_map(below)
}

/// Whether `folder` has the manifest of this package.
fn is_crate(folder: &Path, package: &str) -> bool {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    text.lines().any(|line| {
        let value = line.trim_start().strip_prefix("name").map(str::trim_start);
        let value = value.and_then(|rest| rest.strip_prefix('=')).map(str::trim_start);
        value.is_some_and(|value| {
            value.get(1..).is_some_and(|name| {
                name.strip_prefix(package).is_some_and(|rest| rest.starts_with(['"', '\'']))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_of_the_running_project_is_found() {
        let root = env::temp_dir().join(format!("migrate-place-{}", std::process::id()));
        for (folder, package) in
            [("a/crates/db", "db"), ("b/crates/db", "db"), ("b/crates/app", "app"), ("c/x", "db")]
        {
            fs::create_dir_all(root.join(folder)).expect("a folder");
            let text = format!("[package]\nname = \"{package}\"\nversion = \"0.1.0\"\n");
            fs::write(root.join(folder).join("Cargo.toml"), text).expect("a manifest");
        }
        let then = root.join("a/crates/db");
        let check = |start: &str, package: &str, expected: Option<&str>| {
            let found = crate_near(&root.join(start), &then, package);
            assert_eq!(found, expected.map(|folder| root.join(folder)), "{start} {package}");
        };
        check("a/crates/db", "db", Some("a/crates/db"));
        // Another crate of another checkout runs.
        check("b/crates/app", "db", Some("b/crates/db"));
        check("b/target/debug", "db", Some("b/crates/db"));
        // The crate has moved to a folder of another name.
        check("c/x", "db", Some("c/x"));
        check("elsewhere", "db", Some("a/crates/db"));
        check("b/crates/app", "other", None);
        fs::remove_dir_all(&root).expect("the folders");
    }
}
