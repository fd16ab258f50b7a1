//! What must never be in the code: the invariants of absence that ARCHITECTURE.md lists, each by
//! its number there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_runtime::Migrator;
use migrate_tests::database::FreshDatabase;
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::tables;

/// The sources of every crate that users get.
const SOURCES: [&str; 6] = [
    "migrate-set/src",
    "migrate-source/src",
    "migrate-macros/src",
    "migrate-runtime/src",
    "migrate-testing/src",
    "migrate-cli/src",
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

/// Fails where a file of `folder` not in `except` holds one of `words`.
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
    absent("migrate-source/src", &words, &["src/discover.rs", "create/write.rs"]);
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
    absent("migrate-runtime/src", &sends, &["protocol.rs"]);
    absent("migrate-testing/src", &sends, &[]);
    absent("migrate-cli/src", &sends, &[]);
}

#[test]
fn invariant_4_the_ledger_is_named_in_one_place() {
    let sql = ["INSERT INTO", "CREATE TABLE", "UPDATE {", "FROM {"];
    absent(
        "migrate-runtime/src",
        &sql,
        &[
            "ledger/mod.rs",
            "ledger/adopted.rs",
            "ledger/lease.rs",
            "ledger/contents.rs",
            "ledger/foreign.rs",
            "ledger/history.rs",
            // It reads the tables of other tools.
            "adopt/tool.rs",
        ],
    );
    absent("migrate-testing/src", &sql, &[]);
    absent("migrate-cli/src", &sql, &[]);
}

#[test]
fn invariant_5_the_runtime_does_not_parse_what_the_build_has_split() {
    let parsers = ["sql::lexer", "sql::split", "directives::"];
    absent("migrate-runtime/src", &parsers, &["failure.rs", "privilege.rs"]);
    absent("migrate-testing/src", &parsers, &[]);
    absent("migrate-cli/src", &parsers, &[]);
}

#[test]
fn invariant_6_input_cannot_panic() {
    let panics = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
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

#[tokio::test]
async fn invariant_8_only_run_writes() {
    let database = FreshDatabase::create().await;
    let proxy = CountingProxy::start(&database.config()).await;
    let mut client = proxy.connect().await;
    let (one, two) = (tables(1), tables(2));
    Migrator::new(&one).run(&mut client).await.expect("a run");
    let migrator = Migrator::new(&two);
    proxy.reset();
    migrator.plan(&client).await.expect("a plan");
    migrator.status(&client).await.expect("a status");
    migrator.verify(&client).await.expect_err("one is pending");
    let queries = proxy.queries();
    assert_eq!(queries.len(), 3);
    assert!(
        queries.iter().all(|sql| sql.split("; ").all(|one| one.starts_with("SELECT "))),
        "{queries:?}"
    );
}
