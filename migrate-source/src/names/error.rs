//! The mistakes in file names and their texts.

use std::fmt;

use migrate_set::name::{Direction, Layout};
use migrate_set::remedy::{Remedy, Term};

use super::folders::holds_downs;

/// How many files of a set have a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutShare {
    /// The layout.
    pub layout: Layout,
    /// How many files have it.
    pub files: usize,
    /// One of them.
    pub example: String,
}

impl fmt::Display for LayoutShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (`{}`)", self.files, self.layout, self.example)
    }
}

/// A mistake in the name of a file. `Display` is the first line; [`help`](Self::help) the next
/// action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A line feed, for example: the history file and messages have a line for each file.
    #[error("`{file}` has a control character in its name")]
    Control {
        /// The file, with the number of that character.
        file: String,
    },
    /// `.SQL`, `.sq`: almost the ending of a script.
    #[error("`{file}` looks like SQL but does not end in `.sql`")]
    Ending {
        /// The file.
        file: String,
        /// Its correct name.
        right: String,
    },
    /// `x.sql~`, `x.sql.bak`, `#x.sql#`.
    #[error("`{file}` looks like a backup of `{original}`")]
    Backup {
        /// The file.
        file: String,
        /// The file that it was copied from.
        original: String,
    },
    /// `x.sql.tmpl`, `x.sql.j2`.
    #[error("`{file}` is a template, and nothing fills it in")]
    Template {
        /// The file.
        file: String,
        /// Its name as a script.
        right: String,
    },
    /// `x copy.sql` next to `x.sql`.
    #[error("`{file}` is a copy of `{original}`")]
    Copy {
        /// The file.
        file: String,
        /// The file that it was copied from.
        original: String,
    },
    /// A migration that is not written in SQL.
    #[error("`{file}` is a migration in a language other than SQL")]
    Language {
        /// The file.
        file: String,
        /// Its ending, without the dot.
        extension: String,
    },
    /// Flyway's configuration of one script.
    #[error("`{file}` is a flyway script configuration, which is not supported")]
    ScriptConfig {
        /// The file.
        file: String,
    },
    /// A Flyway callback.
    #[error("`{file}` is a flyway callback, not a migration")]
    Callback {
        /// The file.
        file: String,
        /// When the service must run it: `before` or `after` the migrator.
        when: &'static str,
    },
    /// A Flyway baseline migration.
    #[error("`{file}` is a flyway baseline, not a migration")]
    Baseline {
        /// The file.
        file: String,
    },
    /// The name does not begin with a version.
    #[error("`{file}` does not begin with a version")]
    NoVersion {
        /// The file.
        file: String,
        /// Its correct name, with `<version>` as a placeholder.
        right: String,
        /// The layout of the set; `None` if no file determines it.
        layout: Option<Layout>,
    },
    /// Neither `_`, `-` nor `.` after the version.
    #[error("`{file}` has no separator between version and description")]
    NoSeparator {
        /// The file.
        file: String,
        /// Its correct name.
        right: String,
    },
    /// `V1_x.sql`, `v1__x.sql`.
    #[error(
        "`{file}` is almost a flyway name, which needs an upper-case prefix and two underscores"
    )]
    NearlyFlyway {
        /// The file.
        file: String,
        /// Its correct name.
        right: String,
    },
    /// `x_down.sql`, `x.rollback.sql`, `x.DOWN.sql`: read as an up script, it would run the down.
    #[error(
        "`{file}` looks like {} script but does not end in `.{direction}.sql`",
        direction.with_article()
    )]
    Direction {
        /// The file.
        file: String,
        /// Its correct name.
        right: String,
        /// Which script it seems to be.
        direction: Direction,
        /// Its `_up` counterpart and the correct name of that.
        up: Option<(String, String)>,
    },
    /// Folders that group migrations by release.
    #[error("`{file}` is in a release folder{}", one_of(*folders))]
    ReleaseFolders {
        /// The first file.
        file: String,
        /// How many such folders there are.
        folders: usize,
        /// The first file's correct name, if there is one that keeps the order.
        right: Option<String>,
    },
    /// Scripts in a folder that is not a migration.
    #[error("`{file}` is in a folder that is not a migration{}", one_of(*folders))]
    Nested {
        /// The first file.
        file: String,
        /// The folder.
        folder: String,
        /// How many scripts are in it.
        files: usize,
        /// How many such folders there are.
        folders: usize,
    },
    /// A script of an unknown name in a migration's folder.
    #[error("`{file}` is not a script that a migration folder can contain")]
    FolderFile {
        /// The file.
        file: String,
        /// Its correct name, if it is close to one.
        right: Option<String>,
    },
    /// A script for another database.
    #[error("`{file}` is written for {dialect}, not for postgres{}", and_others(*files))]
    Dialect {
        /// The first file.
        file: String,
        /// The database that it names.
        dialect: &'static str,
        /// How many files are for other databases.
        files: usize,
    },
    /// More than one layout.
    #[error("the set mixes layouts: {}; `{file}` differs from most", shares(found))]
    MixedLayouts {
        /// The first file that differs from most.
        file: String,
        /// Each layout found, the most frequent first.
        found: Vec<LayoutShare>,
        /// The file's correct name in the most frequent layout, if there is one.
        right: Option<String>,
    },
    /// A layout other than the requested one.
    #[error("`{file}` is {found}, but the requested layout is {asked}{}", and_others(*files))]
    WrongLayout {
        /// The first such file.
        file: String,
        /// The requested layout.
        asked: Layout,
        /// The layout found.
        found: Layout,
        /// How many files have it.
        files: usize,
        /// The file's correct name in the requested layout, if there is one.
        right: Option<String>,
    },
    /// Dates of different lengths, which as numbers are in another order than as dates.
    #[error("`{file}` is before `{later}` as a date, and after it as a number")]
    MixedLengths {
        /// The file with more digits.
        file: String,
        /// The file with fewer digits and the later date.
        later: String,
        /// The first file's name with as many digits.
        right: String,
    },
    /// A separator other than that of most files.
    #[error(
        "`{file}` has `{separator}` after its version where most files have `{usual}`{}",
        and_others(*files)
    )]
    MixedSeparators {
        /// The first such file.
        file: String,
        /// Its separator.
        separator: char,
        /// The most frequent one.
        usual: char,
        /// How many files have `separator`.
        files: usize,
        /// The set's layout; if requested, it accepts every separator.
        layout: Layout,
        /// The file's correct name.
        right: String,
    },
}

impl NameError {
    /// The file: the only one, or the first.
    pub fn file(&self) -> &str {
        match self {
            Self::Control { file }
            | Self::Ending { file, .. }
            | Self::Backup { file, .. }
            | Self::Template { file, .. }
            | Self::Copy { file, .. }
            | Self::Language { file, .. }
            | Self::ScriptConfig { file }
            | Self::Callback { file, .. }
            | Self::Baseline { file }
            | Self::NoVersion { file, .. }
            | Self::NoSeparator { file, .. }
            | Self::NearlyFlyway { file, .. }
            | Self::Direction { file, .. }
            | Self::ReleaseFolders { file, .. }
            | Self::Nested { file, .. }
            | Self::FolderFile { file, .. }
            | Self::Dialect { file, .. }
            | Self::MixedLayouts { file, .. }
            | Self::WrongLayout { file, .. }
            | Self::MixedLengths { file, .. }
            | Self::MixedSeparators { file, .. } => file,
        }
    }

    /// What to do next.
    pub fn help(&self) -> Remedy {
        let help = match self {
            Self::Ending { right, .. }
            | Self::NearlyFlyway { right, .. }
            | Self::NoSeparator { right, .. }
            | Self::FolderFile { right: Some(right), .. } => format!("rename it to `{right}`"),
            Self::Control { .. } => "rename it".to_owned(),
            Self::Backup { original, .. } => format!(
                "delete it or move it out of the folder; \
                 if it should run, rename it to `{original}`"
            ),
            Self::Template { right, .. } => format!(
                "write its SQL to `{right}`; a run replaces `{{{{schema}}}}` and `{{{{tables.NAME}}}}` in it"
            ),
            Self::Copy { .. } => "delete it, or give it a version of its own".to_owned(),
            Self::Language { extension, .. } => format!(
                "rewrite it as SQL and move the `.{extension}` file out of the folder; \
                 what needs code belongs in the service"
            ),
            Self::ScriptConfig { .. } => HELP_SCRIPT_CONFIG.to_owned(),
            Self::Callback { when, .. } => format!(
                "run its SQL from the service {when} the migrator and move the file out of the folder; \
                 views and functions can go into a repeatable migration, `R__name.sql`"
            ),
            Self::Baseline { .. } => HELP_BASELINE.to_owned(),
            Self::NoVersion { right, layout, .. } => return help_no_version(right, *layout),
            Self::FolderFile { right: None, .. } => HELP_FOLDER_FILE.to_owned(),
            Self::Direction { right, up, .. } => help_direction(right, up.as_ref()),
            Self::ReleaseFolders { right, .. } => help_release(right.as_deref()),
            Self::Nested { folders: 2.., .. } => HELP_FOLDERS.to_owned(),
            Self::Nested { folder, files, .. } => help_nested(folder, *files),
            Self::Dialect { .. } => return Remedy::new(HELP_DIALECT, &[Term::DialectPostgres]),
            Self::MixedLayouts { found, right, .. } => return help_mixed(found, right.as_deref()),
            Self::WrongLayout { found, right, .. } => return help_wrong(*found, right.as_deref()),
            Self::MixedLengths { right, .. } => {
                let option = "set {}timestamp`, which orders them as dates";
                let rename = Remedy::from(format!("rename it to `{right}`"));
                return rename.or(option, &[Term::Layout]);
            }
            Self::MixedSeparators { right, layout, .. } => {
                let option = format!("set {{}}{layout}`, which accepts every separator");
                let rename = Remedy::from(format!("rename it to `{right}`"));
                return rename.or(option, &[Term::Layout]);
            }
        };
        help.into()
    }
}

const HELP_SCRIPT_CONFIG: &str = "delete it; instead of `executeInTransaction=false`, write \
    `-- migrate:no-transaction` at the top of the script";
const HELP_BASELINE: &str = "move it out of the folder; keep the migrations up to it, \
    and baseline databases that already have them";
const HELP_FOLDER_FILE: &str = "move its SQL into a script that a migration folder can contain: \
    `up.sql` or `down.sql`, or prisma's `migration.sql`";
const HELP_FOLDERS: &str = "if the folders have one order of versions, move their files into the migration \
    folder itself; if each is a set, embed each with a module name of its own";
const HELP_DIALECT: &str = "set {} to use the postgres files and ignore the \
    others, or move the others out of the folder";

fn help_no_version(right: &str, layout: Option<Layout>) -> Remedy {
    let help =
        format!("rename it to `{right}`, or move it out of the folder if it is not a migration");
    let help = Remedy::from(help);
    match layout {
        Some(_) => help,
        None => help.or("set {}any`, which orders by the whole name", &[Term::Layout]),
    }
}

fn help_direction(right: &str, up: Option<&(String, String)>) -> String {
    match up {
        Some((up, up_right)) => format!("rename it to `{right}`, and `{up}` to `{up_right}`"),
        None => format!("rename it to `{right}`; if it is not one, choose another description"),
    }
}

fn help_release(right: Option<&str>) -> String {
    let example = right.map(|right| format!(", such as `{right}`")).unwrap_or_default();
    format!(
        "move the files into the migration folder itself, with versions that keep their order{example}"
    )
}

fn help_nested(folder: &str, files: usize) -> String {
    if holds_downs(folder) {
        return format!(
            "move each script in `{folder}` next to its up script, as `<version>_<description>.down.sql`"
        );
    }
    let them = if files == 1 { "the file".to_owned() } else { format!("its {files} scripts") };
    format!(
        "name `{folder}` as the folder, if the migrations are there; \
         otherwise move {them} out, or up into the migration folder"
    )
}

fn help_mixed(found: &[LayoutShare], right: Option<&str>) -> Remedy {
    let rename = match right {
        Some(right) => format!("rename it to `{right}`, and any others the same way"),
        None => "rename the files that differ from most".to_owned(),
    };
    let rename = Remedy::from(rename);
    let has = |layout| found.iter().any(|share| share.layout == layout);
    if found.len() == 2 && has(Layout::Numeric) && has(Layout::Timestamp) {
        let usual = found.first().map_or(Layout::Numeric, |share| share.layout);
        let option = format!("set {{}}{usual}`, which accepts both kinds of numbers");
        return rename.or(option, &[Term::Layout]);
    }
    match found.get(1) {
        Some(LayoutShare { layout, .. }) => {
            rename.or(format!("set {{}}{layout}` if you meant that"), &[Term::Layout])
        }
        None => rename,
    }
}

fn help_wrong(found: Layout, right: Option<&str>) -> Remedy {
    let rename = right.map_or("rename it".to_owned(), |right| format!("rename it to `{right}`"));
    Remedy::from(rename).or(format!("set {{}}{found}`"), &[Term::Layout])
}

/// `; 3 more files have the same problem`, for an error that covers several files.
fn and_others(files: usize) -> String {
    match files.saturating_sub(1) {
        0 => String::new(),
        1 => "; one more file has the same problem".to_owned(),
        more => format!("; {more} more files have the same problem"),
    }
}

/// `, one of 3 such folders`, for an error that covers several folders.
fn one_of(folders: usize) -> String {
    if folders == 1 { String::new() } else { format!(", one of {folders} such folders") }
}

fn shares(found: &[LayoutShare]) -> String {
    found.iter().map(LayoutShare::to_string).collect::<Vec<_>>().join(", ")
}
