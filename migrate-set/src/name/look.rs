//! Decides by its ending whether a path is a script, a sidecar of a script, a mistake, or an
//! unrelated file. The version matters only to distinguish a migration in another language from
//! other source code.

use super::ending::{ending, verb};
use super::split::{Split, has_version, numbered};

/// What a path is, before its name is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look<'a> {
    /// Hidden, or plainly not SQL.
    Bystander,
    /// Ends in `.sql`; the file's name without it.
    Script(&'a str),
    /// Diesel's `metadata.toml` in a migration's folder.
    Sidecar { folder: &'a str, version: &'a str },
    /// Almost `.sql`; the correct path.
    Ending { right: String },
    /// A copy of this script made by an editor or a tool.
    Backup { original: String },
    /// `x.sql.tmpl`; the path of the script that a tool makes of it.
    Template { right: String },
    /// Flyway's `V1__x.sql.conf`.
    ScriptConfig,
    /// A migration written in a programming language.
    Language { extension: &'a str },
}

const SQL_TYPOS: [&str; 12] =
    ["sq", "slq", "qsl", "sqll", "ssql", "sgl", "psql", "pgsql", "plpgsql", "plsql", "ddl", "dml"];
const LANGUAGES: [&str; 21] = [
    "go", "ts", "js", "mjs", "cjs", "py", "rb", "java", "kt", "kts", "rs", "php", "cs", "fs", "ex",
    "exs", "clj", "groovy", "scala", "fizz", "sh",
];

/// What Liquibase's and pgroll's migrations are written in; in folders, tools keep snapshots in them.
const FORMATS: [&str; 4] = ["json", "xml", "yaml", "yml"];

const TEMPLATES: [&str; 10] = [
    ".erb", ".gotmpl", ".hbs", ".j2", ".jinja", ".jinja2", ".mustache", ".template", ".tmpl",
    ".tpl",
];

/// Whether a file is part of a set or a mistake in it. `false` for unrelated files (hidden files,
/// `README.md`, `atlas.sum` and the like), which need not be read.
///
/// ```
/// # use migrate_set::name::may_matter;
/// assert!(may_matter("001_users.sql"));
/// assert!(may_matter("001_users.SQL"), "a mistake to report");
/// assert!(!may_matter("README.md"));
/// ```
pub fn may_matter(path: &str) -> bool {
    look(path) != Look::Bystander
}

/// What a path is.
pub fn look(path: &str) -> Look<'_> {
    if path.split('/').any(|part| part.starts_with('.')) {
        return Look::Bystander;
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(stem) = name.strip_suffix(".sql") {
        return Look::Script(stem);
    }
    if name == "metadata.toml"
        && let Split::Numbered(found) = numbered(folder)
    {
        return Look::Sidecar { folder, version: found.version };
    }
    nearly_sql(path, name)
        .or_else(|| typo(path, name))
        .or_else(|| language(folder, name))
        .unwrap_or(Look::Bystander)
}

/// `x.SQL`, `x.sql~`, `x.sql.bak`, `#x.sql#`; not `x.sqlite`.
fn nearly_sql<'a>(path: &'a str, name: &'a str) -> Option<Look<'a>> {
    let lower = name.to_ascii_lowercase();
    let ends = |at: usize| !lower[at + 4..].starts_with(|c: char| c.is_ascii_alphabetic());
    let at = lower.match_indices(".sql").map(|(at, _)| at).find(|&at| ends(at))?;
    let (stem, tail) = (name[..at].trim_start_matches(['#', '~', '$']), &lower[at + 4..]);
    let right = beside(path, name, &format!("{stem}.sql"));
    Some(match tail {
        "" => Look::Ending { right },
        ".conf" => Look::ScriptConfig,
        // the licence notice of a file that cannot contain one, by reuse.software
        ".license" => Look::Bystander,
        tail if TEMPLATES.contains(&tail) => Look::Template { right },
        _ => Look::Backup { original: right },
    })
}

/// `1_x.up.sq`, `1_x.up`, `001_xsql`.
fn typo<'a>(path: &'a str, name: &'a str) -> Option<Look<'a>> {
    let stem = match name.rsplit_once('.') {
        Some((stem, last)) if SQL_TYPOS.iter().any(|typo| last.eq_ignore_ascii_case(typo)) => stem,
        Some((stem, last)) if verb(last).is_some() && has_version(stem) => name,
        Some(_) => return None,
        None => name.strip_suffix("sql").filter(|stem| has_version(stem))?,
    };
    let stem = stem.trim_end_matches(['_', '-', ',', ' ']);
    Some(Look::Ending { right: beside(path, name, &format!("{stem}.sql")) })
}

/// `0001_x.go`, `20241209104738_x/migration.ts`; not `mod.rs`, nor the test of a migration.
fn language<'a>(folder: &str, name: &'a str) -> Option<Look<'a>> {
    let (stem, extension) = name.rsplit_once('.')?;
    let is_format = folder.is_empty() && FORMATS.contains(&extension);
    if !(is_format || LANGUAGES.contains(&extension))
        || ["_test", ".test", ".spec"].iter().any(|tail| stem.ends_with(tail))
    {
        return None;
    }
    let folder = folder.rsplit('/').next().unwrap_or_default();
    let script = matches!(stem, "up" | "down" | "migration" | "index" | "main");
    // sea-orm's modules begin with an `m`, because a Rust module cannot begin with a digit
    let stem = if extension == "rs" { stem.strip_prefix('m').unwrap_or(stem) } else { stem };
    let found = has_version(ending(stem).stem) || (script && has_version(folder));
    found.then_some(Look::Language { extension })
}

/// The path of `other` in the folder of `path`.
pub fn beside(path: &str, name: &str, other: &str) -> String {
    let folder = path.strip_suffix(name).unwrap_or_default();
    format!("{folder}{other}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let shown = match look(path) {
            Look::Bystander => "bystander".to_owned(),
            Look::Script(stem) => format!("script {stem}"),
            Look::Sidecar { folder, version } => format!("sidecar of {version} in {folder}"),
            Look::Ending { right } => format!("not {right}"),
            Look::Backup { original } => format!("backup of {original}"),
            Look::Template { right } => format!("template of {right}"),
            Look::ScriptConfig => "config".to_owned(),
            Look::Language { extension } => format!("written in {extension}"),
        };
        assert_eq!(shown, expected, "{path}");
        assert_eq!(may_matter(path), expected != "bystander", "{path}");
    }

    #[test]
    fn hidden_and_plainly_other_files_are_bystanders() {
        let all = [
            ".keep",
            ".gitignore",
            ".hidden/001_x.sql",
            "a/.#001_x.sql",
            ".001_x.sql.swp",
            "README.md",
            "metadata.toml",
            "docs/metadata.toml",
            "migration_lock.toml",
            "atlas.sum",
            "generate.sh",
            "mod.rs",
            "migrations.go",
            "types.ts",
            "20241209104738_x/types.ts",
            "0001_x_test.go",
            "XXXX-draft.txt",
            "dev.sqlite",
            "x.sqlite3",
            "001_x.sql.license",
            "meta/0000_snapshot.json",
            "atlas.yaml",
            "package.json",
            "2fa.go",
            "Dockerfile",
            "",
            "clj/migration_0023.clj",
            "notes",
            "V1__x.md",
            "é",
            "001_x.txt",
        ];
        for path in all {
            check(path, "bystander");
        }
    }

    #[test]
    fn what_ends_in_sql_is_a_script() {
        check("001_x.up.sql", "script 001_x.up");
        check("2024_x/up.sql", "script up");
        check("XXXX-draft.sql", "script XXXX-draft");
        check("2024_x/metadata.toml", "sidecar of 2024 in 2024_x");
    }

    #[test]
    fn what_is_nearly_sql_is_a_mistake() {
        check("V80__Add_Function.SQL", "not V80__Add_Function.sql");
        check("1_x.Sql", "not 1_x.sql");
        check("1_x.up.sq", "not 1_x.up.sql");
        check("1_x.up", "not 1_x.up.sql");
        check("001_xsql", "not 001_x.sql");
        check("001_x_sql", "not 001_x.sql");
        check("2024_x/up.SQL", "not 2024_x/up.sql");
        check("schema.pgsql", "not schema.sql");
        check("1_x.sql~", "backup of 1_x.sql");
        check("1_x.sql.bak", "backup of 1_x.sql");
        check("1_x.SQL.orig", "backup of 1_x.sql");
        check("#1_x.sql#", "backup of 1_x.sql");
        check("a/1_x.sql.swp", "backup of a/1_x.sql");
        check("1_x.sql copy", "backup of 1_x.sql");
        check("1_x.sql.tmpl", "template of 1_x.sql");
        check("V2__x.sql.conf", "config");
    }

    #[test]
    fn migrations_in_other_languages_are_seen() {
        check("20251226153622_v1_0_66.go", "written in go");
        check("1528470872_add_global_users.down.go", "written in go");
        check("V1__x.java", "written in java");
        check("0002_add_users.json", "written in json");
        check("20240101_x.yaml", "written in yaml");
        check("0001_initial.py", "written in py");
        check("m20220101_000001_create.rs", "written in rs");
        check("2014_10_12_000000_create_users.php", "written in php");
        check("20241209104738_x/migration.ts", "written in ts");
        check("20200101_x.up.fizz", "written in fizz");
    }
}
