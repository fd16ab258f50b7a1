//! Whether every feature of a guide has a test that exists; reviewers check that the test shows the feature.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A feature, as `heading: what it says there`, and the test that shows it: a function of the guide's
/// own file, or `path: function` with a path below the workspace.
pub(crate) type Feature = (&'static str, &'static str);

/// Fails where a feature has no test, or a test of `files` no feature.
pub(crate) fn check(files: &[&str], features: &[Feature]) {
    let problems = problems(files, features);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(features.len() > 10, "{} features", features.len());
}

fn problems(files: &[&str], features: &[Feature]) -> Vec<String> {
    let own: Vec<String> =
        files.iter().map(|file| format!("tests/tests/db/seeds/{file}")).collect();
    let mut problems = Vec::new();
    let mut named = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (feature, test) in features {
        let (file, function) = test.split_once(": ").unwrap_or((&own[0], test));
        if !tests_of(file).contains(function) {
            problems.push(format!("`{feature}`: {file} has no test `{function}`"));
        }
        if !feature.contains(": ") || !seen.insert(feature) {
            problems.push(format!("`{feature}`: has no heading, or is listed twice"));
        }
        named.insert(format!("{file}: {function}"));
    }
    for file in &own {
        let unnamed = tests_of(file).into_iter().map(|function| format!("{file}: {function}"));
        let unnamed = unnamed.filter(|test| !named.contains(test) && !test.ends_with(TABLE));
        problems.extend(unnamed.map(|test| format!("{test} shows no feature")));
    }
    problems
}

/// The test of a table itself.
const TABLE: &str = ": every_feature_is_shown";

/// The functions of a file that a test runner runs.
fn tests_of(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(file);
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut is_test = false;
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            found.insert(rest.split('(').next().unwrap_or_default().to_owned());
            is_test = false;
        }
    }
    found
}

#[test]
fn a_feature_without_a_test_and_a_test_without_a_feature_are_reported() {
    let table = [
        ("Usage: one that is shown", "names_are_those_of_the_guide"),
        ("Usage: one that is not", "no_such_test"),
        ("Usage: one whose function is no test", "tests/tests/db/seeds/main.rs: fresh"),
        ("Usage: one whose file is gone", "tests/tests/gone.rs: x"),
        ("without a heading", "tests/tests/db/run.rs: edited_applied_migration_is_drift"),
    ];
    let problems = problems(&["chronis.rs"], &table);
    let count = |text: &str| problems.iter().filter(|problem| problem.contains(text)).count();
    assert_eq!(count("tests/tests/db/seeds/chronis.rs has no test `no_such_test`"), 1);
    assert_eq!(count("tests/tests/db/seeds/main.rs has no test `fresh`"), 1);
    assert_eq!(count("tests/tests/gone.rs has no test `x`"), 1);
    assert_eq!(count("`without a heading`: has no heading"), 1);
    let others = tests_of("tests/tests/db/seeds/chronis.rs").len() - 2;
    assert!(others > 5);
    assert_eq!(count("shows no feature"), others);
    assert_eq!(problems.len(), 4 + others, "{}", problems.join("\n"));
}
