//! Writes `docs/errors.md` from the sources with `UPDATE=1`: each variant, its text, code and remedy; the
//! example of a text and the cause are the page's own. Whether `docs/comparison.md` has every case of
//! `tests/peers`, with words of the cell that it printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::pages::{is_current, workspace};

fn text_of(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An enum of the page: its name, where it is declared, and where its codes and remedies are.
const ENUMS: [(&str, &str, &str); 21] = [
    ("ErrorKind", "migrate-runtime/src/outcome/kind.rs", "migrate-runtime/src/outcome/remedy.rs"),
    ("Drift", "migrate-set/src/drift.rs", ""),
    ("Obstacle", "migrate-set/src/rollback.rs", ""),
    ("AdoptObstacle", "migrate-runtime/src/outcome/obstacle.rs", ""),
    ("Failure", "migrate-runtime/src/fleet/tenants/report.rs", ""),
    ("TestError", "migrate-testing/src/error.rs", ""),
    ("ServerError", "migrate-testing/src/error.rs", ""),
    ("CheckError", "migrate-testing/src/check.rs", ""),
    ("Problem", "migrate-source/src/check/problem.rs", "migrate-source/src/check/remedy.rs"),
    ("NameError", "migrate-source/src/names/error.rs", ""),
    ("HistoryProblem", "migrate-source/src/history_file/problem.rs", ""),
    ("SchemaFileProblem", "migrate-source/src/schema_file.rs", ""),
    ("BranchProblem", "migrate-source/src/check/branch.rs", ""),
    ("SplitProblem", "migrate-set/src/sql/split.rs", ""),
    ("SectionProblem", "migrate-source/src/directives/section.rs", ""),
    ("DirectiveError", "migrate-source/src/directives/mod.rs", ""),
    ("PlaceholderProblem", "migrate-set/src/sql/placeholder/find.rs", ""),
    ("Lint", "migrate-source/src/lint/mod.rs", ""),
    ("CreateError", "migrate-source/src/create/write.rs", ""),
    ("Mistake", "migrate-runtime/src/connect/address.rs", ""),
    ("TlsError", "migrate-runtime/src/connect/tls.rs", ""),
];

/// The first string literal in `code`, as its value except for its escapes; lines that end with `\` continue
/// without their indentation.
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

/// The names after `prefix` in `code`.
fn named<'c>(code: &'c str, prefix: &str) -> impl Iterator<Item = &'c str> {
    code.split(prefix)
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(rest))
}

/// A variant of an enum, as its sources have it.
struct Variant {
    name: String,
    /// The first sentence of its comment.
    cause: String,
    /// The format of its text, where `thiserror` has one.
    format: Option<String>,
    code: Option<String>,
    remedy: Option<String>,
}

/// Each variant of `enum name` in `code`, in order; `helps` has the function of its remedies.
fn variants(code: &str, name: &str, helps: &str) -> Vec<Variant> {
    let head = format!("enum {name}");
    let after = |at: usize| code[at + head.len()..].starts_with([' ', '<']);
    let mut starts = code.match_indices(&head).map(|(at, _)| at);
    let start = starts.find(|at| after(*at)).unwrap_or_else(|| panic!("no {name}"));
    let body = code[start..].split("\n}").next().expect("an end");
    let codes = arms(helps, "fn code(&self)", name);
    let mut remedies = arms(helps, "fn remedy(&self)", name);
    for function in ["fn help(&self)", "fn plain_help(&self)"] {
        remedies.extend(arms(helps, function, name));
    }
    let (mut found, mut format, mut cause, mut at) = (Vec::new(), None, String::new(), 0);
    for line in body.lines() {
        let rest = &body[at..];
        at = (at + line.len() + 1).min(body.len());
        if let Some(comment) = line.strip_prefix("    /// ") {
            cause.push_str(comment);
            cause.push(' ');
        }
        if let Some(attribute) = line.strip_prefix("    #[error(") {
            format = (!attribute.starts_with("transparent")).then(|| literal(rest)).flatten();
        }
        let own = line.strip_prefix("    ").filter(|own| own.starts_with(char::is_uppercase));
        if let Some(own) = own {
            let end = own.find(|c: char| !c.is_alphanumeric()).unwrap_or(own.len());
            let (name, format) = (own[..end].to_owned(), format.take());
            let in_format = format.as_ref().and_then(|format| format.split_once("\nhelp: "));
            let in_format = in_format.map(|(_, help)| help.to_owned());
            let remedy = remedies.get(&name).and_then(|expression| remedy(expression));
            let remedy = remedy.or(in_format.filter(|help| !help.contains(['{', '\n'])));
            let code = codes.get(&name).and_then(|expression| literal(expression));
            let cause = std::mem::take(&mut cause);
            let cause = cause.split(['.', ';', ':']).next().unwrap_or_default().trim().to_owned();
            found.push(Variant { name, cause, format, code, remedy });
        }
    }
    assert!(found.len() > 1, "the variants of {name} were not found");
    found
}

/// The expression of each variant's arm in the `match` of a function; none for a variant with several arms.
fn arms(code: &str, function: &str, name: &str) -> BTreeMap<String, String> {
    let body = code.split(function).nth(1).and_then(|rest| rest.split("\n    }\n").next());
    let parts: Vec<&str> = body.unwrap_or_default().split("=>").collect();
    let (mut arms, mut twice) = (BTreeMap::new(), Vec::new());
    for arm in parts.windows(2) {
        for prefix in [format!("{name}::"), "Self::".to_owned()] {
            for variant in named(arm[0], &prefix) {
                if arms.insert(variant.to_owned(), arm[1].to_owned()).is_some() {
                    twice.push(variant.to_owned());
                }
            }
        }
    }
    arms.retain(|variant, _| !twice.contains(variant));
    arms
}

/// The text of a remedy, with the names of its terms in code; `None` if it is not constant.
fn remedy(expression: &str) -> Option<String> {
    let expression = expression.split("::{").next().unwrap_or(expression);
    if expression.contains("format!(") || expression.trim_start().starts_with("return") {
        return None;
    }
    let mut text = literal(expression)?;
    let names = text_of("migrate-set/src/remedy.rs");
    for term in named(expression, "Term::") {
        let name = literal(names.split(&format!("Term::{term} => ")).nth(1)?)?;
        text = text.replacen("{}", &name, 1);
    }
    (!text.is_empty()).then_some(text)
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

/// Whether a cell shows a text of this format.
fn shows(cell: &str, format: &str) -> bool {
    let mut rest = cell;
    certain(format).iter().all(|part| {
        let found = rest.split_once(part.as_str());
        rest = found.map_or(rest, |(_, after)| after);
        found.is_some()
    })
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|').replace("| |", "|  |");
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// The row of a variant: what the sources have, and for the rest the `old` row.
fn row(columns: &[String], variant: &Variant, old: Option<&Vec<String>>) -> String {
    let kept = |at: usize| old.and_then(|old| old.get(at)).filter(|cell| !cell.is_empty()).cloned();
    let cell = |(at, column): (usize, &String)| match column.as_str() {
        "variant" => format!("`{}`", variant.name),
        "code" => variant.code.as_ref().map_or_else(String::new, |code| format!("`{code}`")),
        "remedy" | "safer way" => variant.remedy.clone().or(kept(at)).unwrap_or_default(),
        "cause" => match old {
            Some(_) => kept(at).unwrap_or_default(),
            None => variant.cause.clone(),
        },
        head if head.starts_with("first line") => match (kept(at), &variant.format) {
            (Some(cell), Some(format)) if shows(&cell, format) => cell,
            (_, Some(format)) => format!("`` {} ``", format.lines().next().unwrap_or_default()),
            (cell, None) => cell.unwrap_or_default(),
        },
        _ => kept(at).unwrap_or_default(),
    };
    let row = columns.iter().enumerate().map(cell).collect::<Vec<_>>().join(" | ");
    format!("| {row} |").replace("|  |", "| |")
}

/// The page with the rows that the sources give it, and the enums without a table.
fn generated(page: &str, enums: &[(&str, Vec<Variant>)]) -> (String, Vec<String>) {
    let mut missing: Vec<String> = enums.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (mut text, mut current) = (String::new(), None);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        text += line;
        text.push('\n');
        if line.starts_with('#') {
            let is_its = |(name, _): &&(&str, _)| line.contains(&format!("`{name}`"));
            current = enums.iter().find(is_its);
        }
        if !line.starts_with("| variant |") {
            continue;
        }
        let Some((name, variants)) = current.take() else { continue };
        missing.retain(|missing| missing != name);
        text += lines.next().unwrap_or_default();
        text.push('\n');
        let mut old: BTreeMap<String, Vec<String>> = BTreeMap::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
            let cells = cells(line);
            old.insert(cells[0].trim_matches('`').to_owned(), cells);
        }
        let columns = cells(line);
        for variant in variants {
            text += &row(&columns, variant, old.get(&variant.name));
            text.push('\n');
        }
    }
    (text, missing)
}

#[test]
fn the_catalogue_is_what_the_sources_say() {
    let of = |(name, path, helps): (&'static str, &str, &str)| {
        let helps = if helps.is_empty() { path } else { helps };
        (name, variants(&text_of(path), name, &text_of(helps)))
    };
    let enums: Vec<_> = ENUMS.into_iter().map(of).collect();
    let (text, missing) = generated(&text_of("docs/errors.md"), &enums);
    assert_eq!(missing, [""; 0], "docs/errors.md has no table for these");
    is_current("docs/errors.md", &text);
}

#[test]
fn rows_follow_the_sources() {
    let code = "pub enum Error {\n    /// A file is gone. Really.\n    #[error(\n        \"{file}: is \
        {{gone}} \\\n         now{}\\nhelp: x\", 1\n    )]\n    Gone {\n        /// Which.\n        \
        file: String,\n    },\n    /// B.\n    #[error(transparent)]\n    Other(String),\n}\n\
        impl Error {\n    fn help(&self) -> Remedy {\n        match self {\n            Error::Other(_) => \
        Remedy::new(\"use {}\", &[Term::AllowMissing]),\n        }\n    }\n    fn code(&self) -> &str {\n\
        \x20       match self {\n            Error::Gone | Self::Other => \"lost\",\n        }\n    }\n}";
    let enums = [("Error", variants(code, "Error", code))];
    let head = "## `Error`: x\n\n| variant | code | first line | cause | remedy |\n|---|---|---|---|---|\n";
    let check = |rows: &str, expected: &str| {
        let page = |rows: &str| format!("{head}{rows}\n## Next\n| `Stray` | x |\n");
        assert_eq!(generated(&page(rows), &enums), (page(expected), Vec::new()), "{rows}");
    };
    let other = "| `Other` | `lost` | y | z | use `.allow_missing()` |\n";
    let gone = "| `Gone` | `lost` | `a: is {gone} now` | no disk | x |\n";
    check(&format!("{gone}{other}"), &format!("{gone}{other}"));
    check(&format!("{other}| `Third` | | y | z | x |\n{gone}"), &format!("{gone}{other}"));
    check(
        &format!("| `Gone` | `here` | `a: is here` | no disk | y |\n{other}"),
        &format!(
            "| `Gone` | `lost` | `` {{file}}: is {{{{gone}}}} now{{}} `` | no disk | x |\n{other}"
        ),
    );
    let new = "| `Gone` | `lost` | `` {file}: is {{gone}} now{} `` | A file is gone | x |\n";
    check(other, &format!("{new}{other}"));
    assert_eq!(generated("", &enums), (String::new(), vec!["Error".to_owned()]));
}

/// The result of `pub const fn function` in `code` for each case.
fn cases(code: &str, function: &str) -> BTreeMap<String, String> {
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
    let (names, titles) = (cases(code, "name"), cases(code, "title"));
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
    let code = text_of("tests/peers/src/cases.rs");
    let (page, printed) = (text_of("docs/comparison.md"), text_of("docs/peers.md"));
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
