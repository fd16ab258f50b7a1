//! The files of `examples/deploy` and the commands of its guides: every verb and option in them exists, and their
//! limits are in the order that the guide asks for.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use migrate_cli::Args;

/// A service with the verbs, as the files have it.
#[derive(Parser)]
struct Shop {
    #[command(subcommand)]
    _command: Command,
}

#[derive(Subcommand)]
enum Command {
    Migrate(Args),
}

const FOLDER: &str = "examples/deploy";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words of a command: a list as in JSON, or words between blanks.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    if let Some(list) = line.find('[').filter(|_| line.ends_with(']')) {
        return serde_json::from_str(&line[list..]).ok();
    }
    let command = match line.split_once('=') {
        Some((key, command)) if key.starts_with("Exec") => command,
        _ if line.starts_with("migrate ") || line.starts_with("shop migrate ") => line,
        _ => return None,
    };
    let command = command.split('#').next().unwrap_or_default();
    Some(command.split_whitespace().map(str::to_owned).collect())
}

/// The commands in a text, each without the program's path and as the service's subcommand; not those without a verb.
fn commands(text: &str) -> Vec<Vec<String>> {
    let command = |line| {
        let mut words = words(line)?;
        if words.first()?.contains('/') || words.first()? == "shop" {
            words.remove(0);
        }
        if words.first()? != "migrate" {
            words.insert(0, "migrate".to_owned());
        }
        Some(words)
    };
    text.lines().filter_map(command).collect()
}

#[test]
fn every_command_is_one_of_the_program() {
    let files = [
        ("Dockerfile", 1),
        ("migrate.Dockerfile", 1),
        ("kubernetes/boot.yaml", 0),
        ("kubernetes/init-container.yaml", 1),
        ("kubernetes/job.yaml", 1),
        ("shop.service", 1),
    ];
    let files = files.map(|(file, count)| (format!("{FOLDER}/{file}"), count));
    let pages = [("docs/guides/expand-and-contract.md", 2)];
    let pages = pages.map(|(page, count)| (page.to_owned(), count));
    for (path, count) in files.into_iter().chain(pages) {
        let found = commands(&read(&path));
        assert_eq!(found.len(), count, "{path}: {found:?}");
        for words in found {
            let parsed = Shop::try_parse_from(["shop".to_owned()].into_iter().chain(words.clone()));
            assert!(parsed.is_ok(), "{path}: {words:?}: {}", parsed.err().unwrap());
        }
    }
}

/// A text with a misspelt option, so that the test above is known to fail.
#[test]
fn misspelt_option_is_found() {
    let found = commands("  args: [\"migrate\", \"up\", \"--dead-line\", \"1s\"]\n");
    assert_eq!(found.len(), 1);
    let words = ["shop".to_owned()].into_iter().chain(found[0].clone());
    assert!(Shop::try_parse_from(words).is_err());
}

/// The first time after `key` in `text`, in seconds.
fn seconds(text: &str, key: &str) -> u64 {
    let time = |after: &str| {
        let value = after.trim_start_matches([' ', '"', ',', '=', ':']);
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let number: u64 = value[..digits].parse().ok()?;
        Some(match value[digits..].chars().next() {
            Some('h') => number * 3600,
            Some('m') => number * 60,
            _ => number,
        })
    };
    text.split(key).skip(1).find_map(time).unwrap_or_else(|| panic!("no time after {key}"))
}

#[test]
fn run_ends_by_its_own_limit_before_it_is_killed() {
    for (file, limit) in [
        ("kubernetes/init-container.yaml", "\n  progressDeadlineSeconds"),
        ("kubernetes/job.yaml", "\n  activeDeadlineSeconds"),
        ("shop.service", "\nTimeoutStartSec"),
    ] {
        let text = read(&format!("{FOLDER}/{file}"));
        let run = seconds(&text, "--wait") + seconds(&text, "--deadline");
        assert!(run < seconds(&text, limit), "{file}");
    }
    let boot = read(&format!("{FOLDER}/kubernetes/boot.yaml"));
    let run = seconds(&boot, ".wait_for_server(") + seconds(&boot, ".deadline(");
    let startup =
        seconds(&boot, "\n            periodSeconds") * seconds(&boot, "failureThreshold");
    assert!(
        run < startup && startup < seconds(&boot, "progressDeadlineSeconds"),
        "{run} {startup}"
    );
}

#[test]
fn manifests_have_their_parts() {
    for file in ["boot", "init-container", "job"] {
        let text = read(&format!("{FOLDER}/kubernetes/{file}.yaml"));
        for document in text.split("\n---\n") {
            for key in ["apiVersion", "kind", "metadata", "spec"] {
                let lines = document.lines().filter(|line| line.starts_with(&format!("{key}:")));
                assert_eq!(lines.count(), 1, "{file}: {key}");
            }
        }
        for line in text.lines() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            assert!(indent % 2 == 0 && !line.contains('\t'), "{file}: {line}");
        }
    }
}

/// The compiler reads the migrations, and cargo compares times.
#[test]
fn image_is_built_from_the_migrations() {
    let text = read(&format!("{FOLDER}/Dockerfile"));
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}"));
    let build = at("touch build.rs src/main.rs && cargo build");
    assert!(
        at("echo 'fn main() {}'") < at("\nCOPY migrations ") && at("\nCOPY migrations ") < build
    );
    assert!(at("\nCOPY src ") < build && build < at("\"check\""));
}

/// The guide quotes the error of a build on Windows.
#[test]
fn guide_has_the_error_of_another_system() {
    let source = read("migrate-testing/src/lib.rs");
    let text = source.split("compile_error!(").nth(1).and_then(|rest| rest.split(");\n").next());
    let text = text.unwrap().replace("\\n\\\n", "\n").replace("\\\n", "");
    let text = text.trim().trim_matches('"').split_whitespace().collect::<Vec<_>>().join(" ");
    let guide = read("docs/guides/operations.md");
    let guide = guide.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(guide.contains(&format!("error: {text}")), "{text}");
}
