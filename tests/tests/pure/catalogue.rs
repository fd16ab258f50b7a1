//! Whether `docs/errors.md` has every variant of each error with its text, and `docs/comparison.md` every case of
//! `tests/peers` with words that it printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An enum of the page: its name, and where it is declared.
const ENUMS: [(&str, &str); 17] = [
    ("ErrorKind", "migrate-runtime/src/outcome/kind.rs"),
    ("Drift", "migrate-set/src/drift.rs"),
    ("Obstacle", "migrate-set/src/rollback.rs"),
    ("AdoptObstacle", "migrate-runtime/src/outcome/obstacle.rs"),
    ("Failure", "migrate-runtime/src/fleet/tenants/report.rs"),
    ("TestError", "migrate-testing/src/trouble.rs"),
    ("ServerError", "migrate-testing/src/error.rs"),
    ("CheckError", "migrate-testing/src/check.rs"),
    ("Problem", "migrate-source/src/check/error.rs"),
    ("NameError", "migrate-source/src/names/error.rs"),
    ("HistoryProblem", "migrate-source/src/history_file.rs"),
    ("SplitProblem", "migrate-set/src/sql/split.rs"),
    ("SectionProblem", "migrate-source/src/directives/section.rs"),
    ("DirectiveError", "migrate-source/src/directives/mod.rs"),
    ("PlaceholderProblem", "migrate-set/src/sql/placeholder/find.rs"),
    ("Lint", "migrate-source/src/lint/mod.rs"),
    ("CreateError", "migrate-source/src/create/write.rs"),
];

/// The first string literal in `code`, as its value except for
/// its escapes; lines that end with `\` continue without their indentation.
fn literal(code: &str) -> Option<String> {
    let mut value = String::new();
    let mut chars = code[code.find('"')? + 1..].chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(value),
            '\\' if chars.peek() == Some(&'\n') => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
            }
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

/// Each variant of `pub enum name` in `code`, with the format of its text where `thiserror` has one.
fn variants(code: &str, name: &str) -> BTreeMap<String, Option<String>> {
    let head = format!("pub enum {name}");
    let after = |at: usize| code[at + head.len()..].starts_with([' ', '<']);
    let starts = code.match_indices(&head).map(|(at, _)| at);
    let start = starts.into_iter().find(|at| after(*at)).unwrap_or_else(|| panic!("no {name}"));
    let body = code[start..].split("\n}").next().expect("an end");
    let mut found = BTreeMap::new();
    let mut format = None;
    let mut at = 0;
    for line in body.lines() {
        let rest = &body[at..];
        at = (at + line.len() + 1).min(body.len());
        if let Some(attribute) = line.strip_prefix("    #[error(") {
            format = (!attribute.starts_with("transparent")).then(|| literal(rest)).flatten();
        }
        let own = line.strip_prefix("    ").filter(|own| own.starts_with(char::is_uppercase));
        if let Some(own) = own {
            let end = own.find(|c: char| !c.is_alphanumeric()).unwrap_or(own.len());
            found.insert(own[..end].to_owned(), format.take());
        }
    }
    assert!(found.len() > 1, "the variants of {name} were not found");
    found
}

/// The fixed parts of the first line of a format.
fn certain(format: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    let mut chars = format.lines().next().unwrap_or_default().chars().peekable();
    while let Some(c) = chars.next() {
        let twice = chars.peek() == Some(&c);
        match c {
            '{' | '}' if depth == 0 && twice => {
                chars.next();
                parts.last_mut().expect("a part").push(c);
            }
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                parts.push(String::new());
            }
            other if depth == 0 => parts.last_mut().expect("a part").push(other),
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// The rows below the heading that names `name` in code, up to the next heading: variant and cell.
fn rows(page: &str, name: &str) -> Vec<(String, String)> {
    let heading = format!("`{name}`");
    let is_its = |line: &str| line.starts_with("##") && line.contains(&heading);
    let mut lines = page.lines().skip_while(|line| !is_its(line));
    assert!(lines.next().is_some(), "docs/errors.md has no heading for {name}");
    let table = lines.take_while(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let mut cells = cells(line).into_iter();
        let variant = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let is_variant = variant.starts_with(char::is_uppercase);
        is_variant.then(|| (variant, cells.next().unwrap_or_default()))
    };
    table.filter(|line| line.starts_with("| `")).filter_map(row).collect()
}

/// Every deviation of the page from one enum.
fn deviations(page: &str, code: &str, name: &str) -> Vec<String> {
    let (variants, rows) = (variants(code, name), rows(page, name));
    let listed: BTreeSet<&str> = rows.iter().map(|(variant, _)| variant.as_str()).collect();
    let missing = variants.keys().filter(|variant| !listed.contains(variant.as_str()));
    let mut wrong: Vec<String> =
        missing.map(|variant| format!("{name}::{variant} is missing from the page")).collect();
    if listed.len() != rows.len() {
        wrong.push(format!("a variant of {name} is listed twice"));
    }
    for (variant, cell) in &rows {
        let Some(format) = variants.get(variant) else {
            wrong.push(format!("{name}::{variant} is on the page and does not exist"));
            continue;
        };
        let mut rest = cell.as_str();
        for part in format.iter().flat_map(|format| certain(format)) {
            match rest.split_once(part.as_str()) {
                Some((_, after)) => rest = after,
                None => wrong.push(format!("{name}::{variant} prints `{part}`, not {cell}")),
            }
        }
    }
    wrong
}

#[test]
fn the_catalogue_has_every_error_and_its_words() {
    let page = text("docs/errors.md");
    let wrong = ENUMS.iter().flat_map(|(name, path)| deviations(&page, &text(path), name));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_catalogue_that_is_wrong_is_noticed() {
    let code = "pub enum Error {\n    /// A.\n    #[error(\n        \"{file}: is {{gone}} \\\n         \
        now{}\\nhelp: x\", 1\n    )]\n    Gone {\n        /// Which.\n        file: String,\n    },\n    \
        /// B.\n    #[error(transparent)]\n    Other(String),\n}";
    let page = |rows: &str| format!("## `Error`: x\n\n{rows}\n## `Next`\n| `Stray` | x |");
    let check = |rows: &str, expected: &[&str]| {
        assert_eq!(deviations(&page(rows), code, "Error"), expected, "{rows}");
    };
    check("| `Gone` | `a: is {gone} now` | x |\n| `Other` | y | x |", &[]);
    check("| `Gone` | `a: is {gone} now` | x |", &["Error::Other is missing from the page"]);
    check(
        "| `Gone` | `a: is here` | x |\n| `Other` | y | x |\n| `Third` | y | x |",
        &[
            "Error::Gone prints `: is {gone} now`, not `a: is here`",
            "Error::Third is on the page and does not exist",
        ],
    );
}

/// The result of `pub const fn function` in `code` for each case.
fn arms(code: &str, function: &str) -> BTreeMap<String, String> {
    let head = format!("pub const fn {function}(self)");
    let body = code.split(&head).nth(1).and_then(|rest| rest.split("\n    }").next());
    let arms = body.expect("the function").split("Case::").skip(1);
    let arm = |arm: &str| Some((arm.split(' ').next()?.to_owned(), literal(arm)?));
    arms.map(|text| arm(text).expect("an arm")).collect()
}

/// The words in code of a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Every deviation of the comparison from the cases and from what they printed.
fn untrue(page: &str, printed: &str, code: &str) -> Vec<String> {
    let (names, titles) = (arms(code, "name"), arms(code, "title"));
    let mut unnamed: BTreeSet<&str> = names.values().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ")).map(cells) {
        let [_, claims @ .., case] = row.as_slice() else { continue };
        let Some(case) = case.strip_prefix('`').and_then(|case| case.strip_suffix('`')) else {
            continue;
        };
        let Some((variant, _)) = names.iter().find(|(_, name)| *name == case) else {
            wrong.push(format!("there is no case `{case}`"));
            continue;
        };
        unnamed.remove(case);
        let head = format!("| {} | ", titles[variant]);
        let line = printed.lines().find(|line| line.starts_with(&head));
        let seen = cells(line.unwrap_or_else(|| panic!("docs/peers.md has no row of {case}")));
        for (claims, seen) in claims.iter().zip(&seen[1..]) {
            if claims.as_str() != seen && quoted(claims).next().is_none() {
                wrong.push(format!("{case}: `{claims}` quotes nothing"));
            }
            let absent = quoted(claims).filter(|words| !seen.contains(words));
            wrong.extend(absent.map(|words| format!("{case}: `{words}` is not in: {seen}")));
        }
    }
    wrong.extend(unnamed.iter().map(|case| format!("the case `{case}` has no line")));
    wrong
}

#[test]
fn every_line_of_the_comparison_is_a_case_and_what_it_printed() {
    let code = text("tests/peers/src/cases.rs");
    let (page, printed) = (text("docs/comparison.md"), text("docs/peers.md"));
    let wrong = untrue(&page, &printed, &code);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A deviation is found.
    let broken = page.replace("`12 of 12 up`", "`13 of 12 up`").replace("`edited`", "`fixed`");
    let wrong = untrue(&broken, &printed, &code).join("\n");
    for part in
        ["replicas: `13 of 12 up` is not in: ", "fixed: `embeds it`", "`edited` has no line"]
    {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
}

/// The files that the pages link to, each with the page.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://")).map(str::to_owned).collect()
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    let mut pages = vec![workspace().join("README.md")];
    for folder in ["docs", "docs/guides", "docs/from"] {
        let files = fs::read_dir(workspace().join(folder)).expect("a folder");
        let files = files.map(|entry| entry.expect("an entry").path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    let mut seen = 0;
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let target = page.parent().expect("a folder").join(&link);
            assert!(target.exists(), "{} links to {link}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} links were found");
}

/// Every test of the tests and of the shipped crates, by name.
fn tests_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            tests_in(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let code = fs::read_to_string(&path).expect("a file");
            let after =
                |line: &str| Some(line.trim().split_once("fn ")?.1.split_once("()")?.0.to_owned());
            let tests = code.split("test]").skip(1);
            names.extend(
                tests
                    .filter_map(|rest| rest.lines().find(|line| line.contains("fn ")))
                    .filter_map(after),
            );
        }
    }
}

#[test]
fn every_promise_of_the_security_page_names_a_test() {
    let page = text("SECURITY.md");
    let mut tests = BTreeSet::new();
    for folder in [
        "tests/tests",
        "tests/cli/tests",
        "migrate-testing/src",
        "migrate-source/src",
        "migrate-cli/src",
    ] {
        tests_in(&workspace().join(folder), &mut tests);
    }
    let promises: Vec<Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(cells)
        .filter(|row| row.len() == 2)
        .collect();
    let named: Vec<&str> = promises
        .iter()
        .flat_map(|row| quoted(&row[1]))
        .filter(|name| name.contains("::"))
        .collect();
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| {
            !name.ends_with("::") && !tests.contains(name.rsplit("::").next().unwrap_or_default())
        })
        .collect();
    assert!(named.len() > 25, "only {} tests are named", named.len());
    assert!(missing.is_empty(), "{missing:?}");
}
