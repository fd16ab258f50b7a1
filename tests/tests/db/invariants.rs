//! The invariants of absence that ARCHITECTURE.md lists, by number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_runtime::Migrator;
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::tables;

use crate::shadows::{literals, unqualified};

/// The sources of every crate that users get.
const SOURCES: [&str; 6] = [
    "migrate-set/src", "migrate-source/src", "migrate-macros/src", "migrate-runtime/src",
    "migrate-testing/src", "migrate-cli/src",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Path below the workspace and code (without comments and test modules) of each source file.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = fs::read_to_string(&path).expect("a source file");
                let code = code.split("#[cfg(test)]").next().unwrap_or_default();
                let code: Vec<&str> =
                    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                let shown = path.strip_prefix(workspace()).expect("below").display().to_string();
                found.push((shown, code.join("\n")));
            }
        }
    }
    assert!(found.len() > 3, "the sources of {folder} were not found");
    found
}

/// Fails if a file of `folder` that is not in `except` contains one of `words`.
fn absent(folder: &str, words: &[&str], except: &[&str]) {
    let mut seen = 0;
    for (path, code) in sources(folder) {
        if except.iter().any(|file| path.ends_with(file)) {
            seen += 1;
            continue;
        }
        for word in words {
            assert!(!code.contains(word), "{path} holds `{word}`");
        }
    }
    assert_eq!(seen, except.len(), "an exception of {folder} is gone");
}

fn dependencies(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["tree", "--offline", "-e", "normal,build", "--prefix", "none", "-f", "{p}", "-p"];
    let output = Command::new(cargo)
        .args(arguments)
        .arg(package)
        .current_dir(workspace())
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    text.lines().filter_map(name).collect()
}

#[test]
fn invariant_1_set_and_source_touch_no_file_network_clock_or_task() {
    let words = ["std::fs", "std::net", "std::time", "std::env", "std::process", "async ", "tokio"];
    absent("migrate-set/src", &words, &["src/listing.rs"]);
    absent("migrate-set/src", &["std::net", "std::time", "std::env", "async ", "tokio"], &[]);
    absent("migrate-source/src", &words, &["src/discover.rs", "src/replace.rs", "create/write.rs"]);
    absent("migrate-source/src", &["std::net", "std::env", "async ", "tokio"], &[]);
}

#[test]
fn invariant_2_imports_run_one_way() {
    let names: Vec<String> =
        SOURCES.iter().map(|folder| folder.trim_end_matches("/src").replace('-', "_")).collect();
    for (index, crate_folder) in SOURCES.iter().enumerate() {
        // Neither of the last two imports the other.
        let later = if index == 5 { &names[4..5] } else { &names[index + 1..] };
        let later: Vec<&str> = later.iter().map(String::as_str).collect();
        absent(crate_folder, &later, &[]);
        absent(crate_folder, &["migrate_tests", "boot_service"], &[]);
    }
    for krate in ["migrate-set", "migrate-source", "migrate-macros"] {
        let all = dependencies(krate);
        assert!(!all.iter().any(|name| name.starts_with("tokio") || name == "migrate-runtime"));
    }
    for (krate, other) in [("migrate-testing", "migrate-cli"), ("migrate-cli", "migrate-testing")] {
        assert!(!dependencies(krate).iter().any(|name| name == other));
    }
}

#[test]
fn invariant_3_planning_is_not_mixed_with_sending() {
    let sends = ["simple_query", "batch_execute", ".execute(", ".query(", ".prepare("];
    absent("migrate-runtime/src", &sends, &["wire/exchange.rs", "wire/on_drop.rs"]);
    absent("migrate-testing/src", &sends, &[]);
    absent("migrate-cli/src", &sends, &[]);
}

#[test]
fn invariant_4_the_ledger_is_named_in_one_place() {
    let sql = ["INSERT INTO", "CREATE TABLE ", "UPDATE {", "FROM {"];
    // The last but one writes the rows of all tables as statements, and the last reads the tables of other tools.
    let except = [
        "sql/ledger.rs", "sql/entry.rs", "sql/replaced.rs", "sql/adopted.rs", "sql/lease.rs",
        "sql/contents.rs", "sql/catalog.rs", "sql/history.rs", "sql/look.rs", "sql/boot.rs",
        "sql/tenants.rs", "sql/rows.rs", "adopt/facts.rs",
    ];
    absent("migrate-runtime/src", &sql, &except);
    absent("migrate-testing/src", &sql, &[]);
    absent("migrate-cli/src", &sql, &[]);
}

#[test]
fn invariant_5_the_runtime_does_not_parse_what_the_build_has_split() {
    let parsers = ["sql::lexer", "sql::split", "directives::"];
    // What names the place of an error, what it needs, who holds its locks, or the enum value that a trial cannot
    // use.
    let after_an_error =
        ["run/locate.rs", "run/trial.rs", "context/grants.rs", "context/blockers.rs"];
    absent("migrate-runtime/src", &parsers, &after_an_error);
    absent("migrate-testing/src", &parsers, &[]);
    absent("migrate-cli/src", &parsers, &[]);
}

#[test]
fn invariant_6_input_cannot_panic() {
    // The driver's `SimpleQueryRow::get` panics on a value that is not UTF-8.
    let panics = [
        ".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!(",
        "row.get(",
    ];
    for crate_folder in SOURCES {
        absent(crate_folder, &panics, &[]);
        absent(crate_folder, &["unsafe "], &[]);
    }
}

#[test]
fn invariant_7_default_features_compile_no_c() {
    let all = dependencies("migrate-runtime");
    assert!(all.len() > 20, "{all:?}");
    let c = |name: &&String| {
        matches!(name.as_str(), "cc" | "cmake" | "bindgen") || name.ends_with("-sys")
    };
    assert_eq!(all.iter().filter(c).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn invariant_9_one_module_names_the_parser() {
    for crate_folder in SOURCES {
        for (path, code) in sources(crate_folder) {
            let inside = path.starts_with("migrate-source/src/syntax/");
            assert!(inside || !code.contains("squawk"), "{path} names the parser");
        }
    }
}

/// The parts of a crate, highest first: a file imports from lower parts, and from its own.
type Parts = &'static [&'static [&'static str]];

/// Each crate with its parts; the first has the names at the root, which are for callers.
const PARTS: [(&str, Parts); 4] = [
    (
        "migrate-source",
        &[
            &["lib"],
            &["pack", "create", "convert"],
            &["discover"],
            &["replace"],
            &["check"],
            &["catalog"],
            &["history_file", "schema_file", "syntax"],
            &["objects", "schema", "directives"],
            &["stream"],
            &["lint", "names", "threads"],
        ],
    ),
    (
        "migrate-runtime",
        &[
            &["lib"],
            &["source", "internal", "__private"],
            &["connect"],
            &["verbs", "fleet"],
            &["run"],
            &["adopt"],
            &["lock"],
            &["context"],
            &["sql"],
            &["wire"],
            &["migrator"],
            &["outcome"],
            &["stale", "boxed"],
        ],
    ),
    (
        "migrate-testing",
        &[&["lib"], &["schema"], &["check"], &["catalog"], &["database"], &["server"], &["error"]],
    ),
    (
        "migrate-cli",
        &[
            &["main", "lib"],
            &["selection"],
            &["verbs"],
            &["output"],
            &["interrupt", "folder", "git"],
            &["error"],
            &["connection", "exit"],
            &["env_file", "options"],
        ],
    ),
];

fn rank(module: &str, parts: Parts) -> usize {
    let part = module.split("::").next().unwrap_or_default();
    let rank = parts.iter().position(|parts| parts.contains(&part));
    rank.unwrap_or_else(|| panic!("`{module}` is in no part"))
}

/// The folder that holds the file of a module.
fn folder<'m>(module: &'m str, files: &BTreeMap<String, String>) -> &'m str {
    let inside = format!("{module}::");
    let is_folder = files.keys().any(|other| other.starts_with(&inside));
    if is_folder { module } else { module.rsplit_once("::").map_or("", |(folder, _)| folder) }
}

/// The paths in `code` that begin with `crate::`, `super::` or `self::`, or with a module that it
/// declares, as paths below the crate; groups in braces are spread out.
fn paths(module: &str, folder: &str, code: &str) -> Vec<String> {
    let declared = code.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    let below = |parent: &str, path: &str| {
        if parent.is_empty() { path.to_owned() } else { format!("{parent}::{path}") }
    };
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found: Vec<String> = declared.map(|name| below(folder, name)).collect();
    for (start, base) in [("crate::", ""), ("super::", parent), ("self::", module)] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_$:".contains(c)) {
                continue;
            }
            let rest = &code[at + start.len()..];
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path = &rest[..rest.find(|c| !is_path(c)).unwrap_or(rest.len())];
            let group =
                rest[path.len()..].strip_prefix('{').and_then(|group| group.split('}').next());
            let items = group.map_or(vec![""], |group| group.split(',').collect());
            found.extend(items.iter().map(|item| below(base, &format!("{path}{}", item.trim()))));
        }
    }
    found
}

/// Each module of a crate with the modules that it imports from.
fn imports(files: &BTreeMap<String, String>) -> BTreeMap<&str, BTreeSet<&str>> {
    let resolve = |path: &str| {
        let is_it = |module: &&String| path == *module || path.starts_with(&format!("{module}::"));
        let module = files.keys().filter(is_it).max_by_key(|module| module.len());
        module.map_or("lib", String::as_str)
    };
    let of = |(module, code): (&String, &String)| -> BTreeSet<&str> {
        let all = paths(module, folder(module, files), code);
        all.iter().map(|path| resolve(path)).filter(|target| target != module).collect()
    };
    files.iter().map(|file| (file.0.as_str(), of(file))).collect()
}

/// The mistakes in the imports of `files`: one that goes up, or a circle of files across folders.
fn misdirected(files: &BTreeMap<String, String>, parts: Parts) -> Vec<String> {
    let imports = imports(files);
    let mut wrong = Vec::new();
    for (module, targets) in &imports {
        let part = |module: &str| module.split("::").next().map(str::to_owned);
        let is_up = |target: &&&str| {
            part(module) != part(target) && rank(target, parts) <= rank(module, parts)
        };
        wrong.extend(targets.iter().filter(is_up).map(|target| format!("{module} -> {target}")));
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = targets.iter().copied().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(&imports[next]);
            }
        }
        let returns = |other: &&&str| {
            imports[**other].contains(module) && folder(other, files) != folder(module, files)
        };
        let circle = reached.iter().find(returns).filter(|_| reached.contains(module));
        wrong.extend(circle.map(|other| format!("{other} -> {module} closes a circle")));
    }
    wrong
}

#[test]
fn invariant_10_imports_go_down() {
    for (krate, parts) in PARTS {
        let source = format!("{krate}/src/");
        let module = |path: &str| {
            let path = path.trim_start_matches(&source).trim_end_matches(".rs");
            path.trim_end_matches("/mod").replace('/', "::")
        };
        let files = sources(&source).into_iter().map(|(path, code)| (module(&path), code));
        let mut files: BTreeMap<String, String> = files.collect();
        // It declares every part, and imports from none.
        files.insert("lib".to_owned(), String::new());
        assert!(files.len() > 10, "{krate}: {:?}", files.keys());
        assert_eq!(misdirected(&files, parts), [""; 0], "{krate}");
    }
}

#[test]
fn import_that_goes_up_and_a_circle_are_found() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let owned = |(module, code): &(&str, &str)| ((*module).to_owned(), (*code).to_owned());
        let files: BTreeMap<_, _> = files.iter().map(owned).collect();
        assert_eq!(misdirected(&files, PARTS[1].1), expected, "{files:?}");
    };
    let sql = ("sql", "mod guard;\npub(crate) use guard::Guard;");
    let down = ("lock", "use crate::sql::{Guard, guard};");
    check(&[sql, ("sql::guard", "use super::Ledger;"), down], &[]);
    check(
        &[sql, ("sql::guard", "use crate::lock::Held;"), down],
        &[
            "sql::guard -> lock closes a circle",
            "lock -> sql closes a circle",
            "sql::guard -> lock",
            "lock -> sql::guard closes a circle",
        ],
    );
    let circle = ("run::stepwise", "mod work;\nuse super::carry;");
    check(
        &[("run", "mod stepwise;"), circle, ("run::stepwise::work", "")],
        &["run::stepwise -> run closes a circle", "run -> run::stepwise closes a circle"],
    );
}

#[test]
fn invariant_11_sql_names_everything_by_its_schema() {
    let is_sql = |path: &str, literal: &str| {
        // In backquotes is what a user runs.
        !literal.starts_with('`')
            && (path.starts_with("migrate-runtime/src/sql/")
                || ["SELECT ", "WHERE ", "FROM ", "ORDER BY ", "pg_catalog", "CASE "]
                    .iter()
                    .any(|word| literal.contains(word)))
    };
    let (mut seen, mut wrong) = (0, Vec::new());
    for folder in ["migrate-runtime/src", "migrate-testing/src", "migrate-cli/src"] {
        for (path, code) in sources(folder) {
            for literal in literals(&code).iter().filter(|literal| is_sql(&path, literal)) {
                seen += 1;
                wrong.extend(unqualified(literal).iter().map(|name| format!("{path}: {name}")));
            }
        }
    }
    assert!(seen > 200, "{seen} literals");
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn invariant_8_only_run_writes() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let (one, two) = (tables(1), tables(2));
    Migrator::new(&one).run(&mut client).await.expect("a run");
    let migrator = Migrator::new(&two);
    let only = "SET default_transaction_read_only = on";
    client.batch_execute(only).await.expect("a setting");
    proxy.reset();
    migrator.plan(&client).await.expect("a plan");
    migrator.status(&client).await.expect("a status");
    migrator.verify(&client).await.expect_err("one is pending");
    let queries = proxy.queries();
    assert_eq!(queries.len(), 3);
}
