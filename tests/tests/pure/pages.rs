//! Writes the tables of modules in ARCHITECTURE.md from the sources with `UPDATE=1`. Whether the tests and
//! programs exist that the pages' commands run.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use migrate_tests::predecessors::ALL;

pub(crate) const CRATES: [&str; 6] = [
    "migrate-set", "migrate-source", "migrate-macros", "migrate-runtime", "migrate-testing",
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

/// Fails if a page is not `text`; `UPDATE=1` writes it.
pub(crate) fn is_current(page: &str, text: &str) {
    let path = workspace().join(page);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, text).expect("the page");
    }
    let found = fs::read_to_string(&path).expect("the page");
    let mut lines = found.lines().zip(text.lines());
    let (old, new) = lines.find(|(old, new)| old != new).unwrap_or_default();
    assert!(found == text, "{page} is stale; `UPDATE=1` writes it\n- {old}\n+ {new}");
}

/// The file of a module in `folder`.
fn file_of(folder: &Path, module: &str) -> PathBuf {
    let file = folder.join(module).with_extension("rs");
    if file.exists() { file } else { folder.join(module).join("mod.rs") }
}

/// The modules that `file` declares, in its order.
fn declared(file: &Path) -> Vec<String> {
    let code = fs::read_to_string(file).expect("a source");
    let code = code.split("#[cfg(test)]\nmod").next().unwrap_or_default();
    let module = |line: &str| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    code.lines().filter_map(module).collect()
}

/// The first sentence of a module's header, without links.
fn purpose(file: &Path) -> String {
    let code = fs::read_to_string(file).expect("a source");
    let header = code.lines().map_while(|line| line.strip_prefix("//!"));
    let header: Vec<&str> = header.map(str::trim).take_while(|line| !line.is_empty()).collect();
    let header = header.join(" ").replace("[`", "`").replace("`]", "`");
    assert!(!header.is_empty(), "{} has no header", file.display());
    let end = header.find(". ").unwrap_or(header.len());
    let sentence = header[..end].trim_end_matches('.').replace('|', "\\|");
    match sentence.split_once("`(") {
        Some((before, after)) => format!("{before}`{}", after.split_once(')').expect("a link").1),
        None => sentence,
    }
}

/// The modules of a crate as a table: in reading order, each with its parts.
fn table(krate: &str) -> String {
    let source = workspace().join(krate).join("src");
    let mut table = "| module | purpose | parts |\n|---|---|---|\n".to_owned();
    for module in declared(&source.join("lib.rs")) {
        let file = file_of(&source, &module);
        let parts: Vec<String> = parts(&file, &source.join(&module), "");
        let row = format!("| `{module}` | {} | {} |", purpose(&file), parts.join(", "));
        table += &row.replace(" |  |", " | |");
        table.push('\n');
    }
    table
}

/// The parts below a module, each followed by its own.
fn parts(file: &Path, folder: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in declared(file) {
        found.push(format!("`{prefix}{part}`"));
        let inner = format!("{prefix}{part}::");
        found.extend(parts(&file_of(folder, &part), &folder.join(&part), &inner));
    }
    found
}

#[test]
fn architecture_has_the_modules() {
    let page = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("the page");
    let (start, end) = ("| module | purpose | parts |\n", "\n\n");
    let mut text = String::new();
    let mut rest = page.as_str();
    for krate in CRATES {
        let at = rest.find(&format!("\n## {krate}\n")).expect("a section");
        let at = at + rest[at..].find(start).expect("a table of modules");
        let length = rest[at..].find(end).expect("an end");
        text += &rest[..at];
        text += table(krate).trim_end();
        rest = &rest[at + length..];
    }
    is_current("ARCHITECTURE.md", &(text + rest));
}

/// What follows each `option` in the pages' commands.
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
        // The first word after it chooses a module: `--test db run::`.
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

#[test]
fn promises_of_the_security_page_have_tests() {
    let page = fs::read_to_string(workspace().join("SECURITY.md")).expect("the page");
    let sources = files(&workspace(), ".rs");
    let code: String = sources.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    let words = page.split('`').skip(1).step_by(2);
    let tests: BTreeSet<&str> =
        words.filter_map(|word| word.rsplit_once("::")).map(|(_, name)| name).collect();
    let missing: Vec<&&str> = tests
        .iter()
        .filter(|name| !name.is_empty() && !code.contains(&format!("fn {name}()")))
        .collect();
    assert!(tests.len() > 20, "{tests:?}");
    assert!(missing.is_empty(), "{missing:?}");
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

/// The tool and version that wrote a ledger, by the first line of its dump.
fn written_by(left: &str) -> &str {
    let line = left.lines().next().unwrap_or_default();
    let version = line.strip_prefix("-- What ").and_then(|rest| rest.split_once(" left"));
    version.map_or("hand, as its source does", |(version, _)| version)
}

/// How the build takes the folder of a tool.
fn folder(name: &str) -> &'static str {
    match name {
        "sqitch" | "liquibase" | "umzug" => "needs `convert`",
        "sea-orm" => "is Rust",
        "alembic" | "django" => "is Python",
        _ => "as it is",
    }
}

fn tools_table() -> String {
    let converts = |name: &str| migrate_source::convert::known().any(|known| known == name);
    let yes = |is: bool| if is { "yes" } else { "no" };
    let row = |columns: [&str; 5]| ["| ", &columns.join(" | "), " |\n"].concat();
    let mut table = String::new();
    for from in ALL {
        let name = from.name.trim_end_matches('1');
        let (written, verified) = (written_by(from.left()), from.tool.algorithm());
        let columns = [name, written, folder(name), verified.unwrap_or("no"), yes(converts(name))];
        table += &row(columns);
    }
    let has_ledger = |name: &str| ALL.iter().any(|from| from.name == name);
    for name in migrate_source::convert::known().filter(|name| !has_ledger(name)) {
        let columns = [name, "not adopted by name", folder(name), "no", "yes"];
        table += &row(columns);
    }
    table
}

#[test]
fn guide_has_all_tools_as_they_are_in_the_code() {
    let (page, head) =
        ("docs/guides/adopting.md", "| folder | verified | converted |\n|---|---|---|---|---|\n");
    let text = fs::read_to_string(workspace().join(page)).expect("the page");
    let (before, after) = text.split_once(head).expect("the table");
    let rows = after.split_inclusive('\n').take_while(|line| line.starts_with('|'));
    let rest = &after[rows.map(str::len).sum()..];
    is_current(page, &format!("{before}{head}{}{rest}", tools_table()));
}
