//! Whether the pages name what exists: each module in ARCHITECTURE.md, and the tests and programs in commands.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const CRATES: [&str; 6] = [
    "migrate-set",
    "migrate-source",
    "migrate-macros",
    "migrate-runtime",
    "migrate-testing",
    "migrate-cli",
];

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Every file below `folder` with this ending; a folder's name that begins with a dot, and what a build
/// or a package manager makes, is left out.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The modules of a crate, tests left out, as ARCHITECTURE.md writes them: `name::look`.
fn modules(krate: &str) -> BTreeSet<String> {
    let source = workspace().join(krate).join("src");
    let module = |path: PathBuf| {
        let path = path.strip_prefix(&source).expect("a source").with_extension("");
        let parts: Vec<String> =
            path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        parts.join("::").trim_end_matches("::mod").to_owned()
    };
    let all = files(&source, ".rs").into_iter().map(module);
    all.filter(|name| name != "lib" && !name.split("::").any(|part| part == "tests")).collect()
}

/// The names in the first cell of each row of a section; `a::{b, c}` is two.
fn rows(section: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in section.lines().filter_map(|line| line.strip_prefix("| `")) {
        let cell = row.split(" | ").next().expect("a cell");
        for name in cell.trim_end_matches('`').split("`, `") {
            match name.trim_end_matches('}').split_once('{') {
                Some((path, parts)) => {
                    names.extend(parts.split(", ").map(|part| format!("{path}{part}")));
                }
                None => {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn architecture_has_a_row_for_each_module() {
    let page = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("the page");
    for krate in CRATES {
        let (_, section) = page.split_once(&format!("\n## {krate}\n")).expect("a section");
        let section = section.split("\n## ").next().expect("a section");
        let (there, said) = (modules(krate), rows(section));
        let silent: Vec<_> = there.difference(&said).collect();
        let wrong: Vec<_> = said.difference(&there).collect();
        assert!(
            silent.is_empty() && wrong.is_empty(),
            "{krate}: no row {silent:?}, no module {wrong:?}"
        );
    }
}

/// The argument of each `option` in the pages' commands.
fn named(option: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for page in files(&workspace(), ".md") {
        let text = fs::read_to_string(page).expect("a page");
        for rest in text.split(option).skip(1) {
            let name = rest.split(|c: char| !(c.is_alphanumeric() || "-_/.".contains(c))).next();
            names.extend(name.map(|name| name.trim_end_matches('.').to_owned()));
        }
    }
    assert!(!names.is_empty(), "no page says `{option}`");
    names
}

#[test]
fn commands_run_what_exists() {
    let root = workspace();
    let has = |path: String| root.join(path).exists();
    for name in named(" --test ") {
        let places = ["tests/tests", "tests/cli/tests"];
        assert!(places.iter().any(|place| has(format!("{place}/{name}/main.rs"))), "{name}");
        // The first word after it selects a module: `--test db run::`.
        for module in named(&format!(" --test {name} ")) {
            let module = module.replace("::", "/");
            let is_module = has(format!("tests/tests/{name}/{module}.rs"))
                || has(format!("tests/tests/{name}/{module}/mod.rs"));
            assert!(is_module, "--test {name} {module}");
        }
    }
    for name in named(" --bin ") {
        let places = ["tests/src/bin", "tests/peers/src/bin"];
        let is_in = |place: &&str| {
            has(format!("{place}/{name}.rs")) || has(format!("{place}/{name}/main.rs"))
        };
        assert!(places.iter().any(is_in), "{name}");
    }
    for name in named(" --example ") {
        assert!(has(format!("tests/examples/{name}.rs")), "{name}");
    }
    for manifest in named(" --manifest-path ") {
        assert!(has(manifest.clone()), "{manifest}");
    }
    let packages: Vec<String> = files(&root, "Cargo.toml")
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    for name in named("cargo run -p ").into_iter().chain(named("cargo test -p ")) {
        let line = format!("\nname = \"{name}\"\n");
        assert!(packages.iter().any(|manifest| manifest.contains(&line)), "{name}");
    }
}

/// A program that has no test binary has no tests: cargo would leave them out without a word.
#[test]
fn targets_without_a_test_binary_have_no_tests() {
    let mut without = 0;
    for manifest in files(&workspace(), "Cargo.toml") {
        let text = fs::read_to_string(&manifest).expect("a manifest");
        let folder = manifest.parent().expect("a folder").join("src");
        for section in text.split("\n[").filter(|part| part.contains("\ntest = false\n")) {
            let name = section.split("name = \"").nth(1).and_then(|rest| rest.split('"').next());
            let single = name.map(|name| folder.join(format!("bin/{name}.rs")));
            let nested = name.map(|name| folder.join(format!("bin/{name}")));
            let sources = match (single, nested) {
                (Some(file), _) if file.exists() => vec![file],
                (_, Some(folder)) if folder.exists() => files(&folder, ".rs"),
                _ if section.starts_with("lib]") => vec![folder.join("lib.rs")],
                _ => files(&folder, ".rs"),
            };
            for source in sources {
                let text = fs::read_to_string(&source).expect("a source");
                assert!(!text.contains("#[test]"), "{} has tests", source.display());
                without += 1;
            }
        }
    }
    assert!(without > 10, "{without} files of targets without a test binary");
}
