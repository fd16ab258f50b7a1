//! Whether the public interface is small: few names at the root of the runtime, one path to each of them, and
//! no two types of one name.

use std::collections::BTreeSet;
use std::fs;

use super::pages::{CRATES, files, workspace};

/// The names that the statements `{indent}pub use ...;` of `code` export.
fn exported(code: &str, indent: &str) -> Vec<String> {
    let start = format!("\n{indent}pub use ");
    let mut names = Vec::new();
    for statement in code.split(&start).skip(1) {
        let path = statement.split(';').next().expect("an end");
        let items = path.split_once('{').map_or(path, |(_, items)| items.trim_end_matches('}'));
        let name = |item: &str| item.trim().rsplit([':', ' ']).next().unwrap_or("").to_owned();
        names.extend(items.split(',').map(name).filter(|name| !name.is_empty()));
    }
    names
}

fn runtime(file: &str) -> String {
    fs::read_to_string(workspace().join("migrate-runtime/src").join(file)).expect("a source")
}

#[test]
fn root_of_the_runtime_has_at_most_25_names() {
    let mut names = exported(&runtime("lib.rs"), "");
    assert!(names.iter().any(|name| name == "Migrator"), "{names:?}");
    // Modules do not count, macros do.
    names.retain(|name| name != "tenants");
    names.push("embed_migrations".to_owned());
    assert!(names.len() <= 25, "{} names: {names:?}", names.len());
}

#[test]
fn each_name_of_the_runtime_has_one_path() {
    let lib = runtime("lib.rs");
    let mut names = [exported(&lib, ""), exported(&lib, "    ")].concat();
    for file in ["adopt/mod.rs", "fleet/tenants/mod.rs", "source.rs"] {
        names.extend(exported(&runtime(file), ""));
    }
    assert!(names.len() > 50, "{names:?}");
    let mut seen = BTreeSet::new();
    let twice: Vec<&String> = names.iter().filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "exported twice: {twice:?}");
}

#[test]
fn no_two_public_types_have_one_name() {
    let mut seen = BTreeSet::new();
    let mut twice = Vec::new();
    for path in CRATES.iter().flat_map(|krate| files(&workspace().join(krate).join("src"), ".rs")) {
        let code = fs::read_to_string(&path).expect("a source");
        let types = code.lines().filter_map(|line| {
            let (kind, rest) = line.strip_prefix("pub ")?.split_once(' ')?;
            let is_type = ["struct", "enum", "trait", "type"].contains(&kind);
            is_type.then(|| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(rest))
        });
        for name in types {
            if !seen.insert(name.to_owned()) {
                twice.push(format!("{name} in {}", path.display()));
            }
        }
    }
    assert!(seen.len() > 100, "{seen:?}");
    assert!(twice.is_empty(), "{twice:?}");
}
