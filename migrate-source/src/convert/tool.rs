//! The tools whose folders can be converted, and which of them a folder is of.

use migrate_set::name::Layout;
use migrate_set::name::split::dotted_moment;

use super::{Source, Trouble, Troubles};

/// A tool whose folders can be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name on the command line.
    pub name: &'static str,
    pub(super) reads: Reads,
    /// How its files are named; the others have numbers of any kind.
    pub(super) layout: Option<Layout>,
    /// How the comments begin that it acts on; any other is a remark to it. `None` if all are its own.
    pub(super) marks: Option<&'static [&'static str]>,
}

impl Tool {
    /// Whether it reads every script of its folder, and not only those that its plan names.
    pub fn reads_all(self) -> bool {
        self.reads != Reads::Plan
    }
}

/// Where a tool has the order of its migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// In the names of its files.
    Names,
    /// In drizzle's journal.
    Journal,
    /// In sqitch's plan.
    Plan,
    /// In the comments of the files: yoyo.
    Depends,
    /// In the order of Liquibase's changesets in a file.
    Changesets,
}

const fn numbered(name: &'static str, marks: &'static [&'static str]) -> Tool {
    Tool { name, reads: Reads::Names, layout: Some(Layout::Numeric), marks: Some(marks) }
}

const fn laid_out(name: &'static str, layout: Layout) -> Tool {
    Tool { name, reads: Reads::Names, layout: Some(layout), marks: Some(&[]) }
}

/// One that has our own section markers.
const fn sectioned(name: &'static str) -> Tool {
    Tool { name, reads: Reads::Names, layout: None, marks: None }
}

const fn read_by(name: &'static str, reads: Reads, marks: &'static [&'static str]) -> Tool {
    Tool { name, reads, layout: None, marks: Some(marks) }
}

const TOOLS: [Tool; 31] = [
    numbered("sqlx", &["no-transaction"]),
    laid_out("refinery", Layout::Flyway),
    laid_out("diesel", Layout::Folders),
    laid_out("flyway", Layout::Flyway),
    numbered("goose", &["+goose"]),
    numbered("golang-migrate", &[]),
    numbered("dbmate", &[]),
    laid_out("chronis", Layout::Flyway),
    sectioned("pgdbm"),
    sectioned("pycopg"),
    sectioned("data-bridge"),
    sectioned("xyn"),
    laid_out("prisma", Layout::Prisma),
    read_by("drizzle", Reads::Journal, &[]),
    numbered("supabase", &[]),
    numbered("node-pg-migrate", &["up migration", "down migration"]),
    numbered("postgres-migrations", &["postgres-migrations"]),
    numbered("postgrator", &[]),
    numbered("graphile-migrate", &["! no-transaction"]),
    numbered("sql-migrate", &["+migrate"]),
    read_by("yoyo", Reads::Depends, &["transactional:"]),
    laid_out("pyway", Layout::Flyway),
    laid_out("pgmigrate", Layout::Flyway),
    read_by("sqitch", Reads::Plan, &[]),
    read_by("liquibase", Reads::Changesets, &[]),
    numbered("atlas", &["atlas:"]),
    numbered("tern", &["create above", "tern:"]),
    numbered("umzug", &[]),
    numbered("rambler", &["rambler"]),
    numbered("micrate", &["+micrate"]),
    numbered("mybatis", &["//"]),
];

/// All of them.
pub fn known() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name)
}

pub(super) fn named(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// The tool whose folder `source` is.
///
/// # Errors
/// If its files can be those of none, or of several.
pub(super) fn recognise(source: &Source<'_>) -> Result<&'static Tool, Troubles> {
    let candidates = by_files(source)
        .or_else(|| source.files.iter().find_map(|file| by_text(&file.bytes)))
        .map_or_else(|| by_names(source), |name| vec![name]);
    match candidates[..] {
        [one] => named(one).ok_or_else(|| unknown(source, &candidates)),
        _ => Err(unknown(source, &candidates)),
    }
}

pub(super) fn unknown(source: &Source<'_>, candidates: &[&str]) -> Troubles {
    let what = match candidates {
        [] => "is no folder of a tool that is known".to_owned(),
        some => format!("can be a folder of {}", some.join(", ")),
    };
    let help = match candidates {
        [] => format!("name the tool with `--from`: {}", known().collect::<Vec<_>>().join(", ")),
        _ => "name the tool with `--from`".to_owned(),
    };
    Trouble::new(source.shown, what, help).into()
}

/// The tool that writes one of the files beside the migrations.
fn by_files(source: &Source<'_>) -> Option<&'static str> {
    let has = |name: &str| source.beside.iter().any(|file| file.path == name);
    let says = |name: &str, text: &str| source.beside(name).is_some_and(|it| it.contains(text));
    let tools = [
        ("sqitch", has("sqitch.plan")),
        ("drizzle", has("meta/_journal.json")),
        ("prisma", has("migration_lock.toml")),
        ("atlas", has("atlas.sum")),
        ("diesel", has("../diesel.toml") || has("../../diesel.toml")),
        ("pgmigrate", has("../migrations.yml")),
        ("supabase", says("../config.toml", "project_id")),
    ];
    tools.into_iter().find(|(_, is_it)| *is_it).map(|(name, _)| name)
}

/// The tool whose comments a file has.
fn by_text(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut comments = lines.filter_map(|line| line.trim_start().strip_prefix("--"));
    comments.find_map(|comment| {
        let body = comment.trim_start_matches('-').trim().to_ascii_lowercase();
        let begins = |start: &str| body.starts_with(start);
        let marks = [
            ("liquibase", "liquibase formatted sql"),
            ("goose", "+goose up"),
            ("sql-migrate", "+migrate up"),
            ("dbmate", "migrate:up"),
            ("node-pg-migrate", "up migration"),
            ("graphile-migrate", "! previous: "),
            ("yoyo", "depends:"),
            ("postgres-migrations", "postgres-migrations "),
            ("tern", "create above / drop below"),
            ("rambler", "rambler up"),
            ("micrate", "+micrate up"),
            ("mybatis", "//@undo"),
        ];
        marks.into_iter().find(|(_, start)| begins(start)).map(|(name, _)| name)
    })
}

/// The tools that name files like this.
fn by_names(source: &Source<'_>) -> Vec<&'static str> {
    let names = || source.files.iter().map(|file| file.path.as_str());
    let any = |is_it: fn(&str) -> bool| names().any(is_it);
    let is_numbered = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    if any(|name| name.ends_with(".rollback.sql")) {
        vec!["yoyo"]
    } else if any(|name| dotted_moment(name.rsplit('/').next().unwrap_or(name)).is_some()) {
        vec!["umzug"]
    } else if any(|name| name.contains(".do.")) {
        vec!["postgrator"]
    } else if any(|name| name.contains("NONTRANSACTIONAL")) {
        vec!["pgmigrate"]
    } else if any(|name| name.ends_with("/up.sql")) {
        vec!["diesel"]
    } else if any(|name| name.ends_with("/migration.sql")) {
        vec!["prisma", "drizzle"]
    } else if any(|name| name.starts_with("R__")) {
        vec!["flyway"]
    } else if any(|name| name.starts_with('V')) {
        vec!["flyway", "refinery", "pyway", "pgmigrate", "chronis"]
    } else if any(|name| name.ends_with(".up.sql")) {
        vec!["golang-migrate", "sqlx"]
    } else if names().any(is_numbered) {
        vec!["sqlx", "supabase", "postgres-migrations", "pgdbm", "pycopg", "data-bridge", "xyn"]
    } else {
        Vec::new()
    }
}
