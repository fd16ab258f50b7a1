//! Decides how a mistake in a name is told: what and where first, then the next action.
//! The facts of one mistake go in; two texts and the file to point at come out.
//! It finds nothing itself, and it does not print, because a name has no line to frame.

use std::fmt;

use migrate_set::name::Layout;

/// How many files of a set have one layout.
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
    /// `.SQL`, `.sq`: nearly the ending of a script.
    #[error("`{file}` looks like SQL but does not end in `.sql`")]
    Ending {
        /// The file.
        file: String,
        /// Its right name.
        right: String,
    },
    /// `x.sql~`, `x.sql.bak`, `#x.sql#`.
    #[error("`{file}` looks like a backup of `{original}`")]
    Backup {
        /// The file.
        file: String,
        /// What it was made from.
        original: String,
    },
    /// `x copy.sql` beside `x.sql`.
    #[error("`{file}` is a copy of `{original}`")]
    Copy {
        /// The file.
        file: String,
        /// What it was made from.
        original: String,
    },
    /// A migration that is not written in SQL.
    #[error("`{file}` is a migration written in another language than SQL")]
    Language {
        /// The file.
        file: String,
        /// Its ending, without the dot.
        extension: String,
    },
    /// Flyway's configuration of one script.
    #[error("`{file}` is flyway's configuration of a script, which is not read")]
    ScriptConfig {
        /// The file.
        file: String,
    },
    /// A Flyway callback.
    #[error("`{file}` is a flyway callback, not a migration")]
    Callback {
        /// The file.
        file: String,
        /// When the service has to run it: `before` or `after` the migrator.
        when: &'static str,
    },
    /// A Flyway baseline migration.
    #[error("`{file}` is a flyway baseline, not a migration")]
    Baseline {
        /// The file.
        file: String,
    },
    /// No version in front.
    #[error("`{file}` does not begin with a version")]
    NoVersion {
        /// The file.
        file: String,
        /// Its right name, with `<version>` for what only the author knows.
        right: String,
        /// The layout of the set; `None` when no file tells.
        layout: Option<Layout>,
    },
    /// Neither `_`, `-` nor `.` after the version.
    #[error("`{file}` has no separator between version and description")]
    NoSeparator {
        /// The file.
        file: String,
        /// Its right name.
        right: String,
    },
    /// `V1_x.sql`, `v1__x.sql`.
    #[error("`{file}` is nearly a flyway name, which has an upper-case prefix and two underscores")]
    NearlyFlyway {
        /// The file.
        file: String,
        /// Its right name.
        right: String,
    },
    /// `x_down.sql`, `x.rollback.sql`, `x.DOWN.sql`: taken as up, it would run the down.
    #[error(
        "`{file}` looks like {} {word} script but does not end in `.{word}.sql`",
        article(word)
    )]
    Direction {
        /// The file.
        file: String,
        /// Its right name.
        right: String,
        /// `up` or `down`.
        word: &'static str,
        /// Its `_up` counterpart and that one's right name.
        up: Option<(String, String)>,
    },
    /// Folders that group migrations.
    #[error("`{file}` is in a folder by release{}", one_of(*folders))]
    ReleaseFolders {
        /// The first file.
        file: String,
        /// How many such folders there are.
        folders: usize,
        /// The first file's right name, where one keeps the order.
        right: Option<String>,
    },
    /// Scripts in a folder that is no migration.
    #[error("`{file}` is in a folder that is not a migration")]
    Nested {
        /// The first file.
        file: String,
        /// The folder.
        folder: String,
        /// How many scripts are in it.
        files: usize,
    },
    /// A script of another name in a migration's folder.
    #[error("`{file}` is not a script that a migration folder holds")]
    FolderFile {
        /// The file.
        file: String,
        /// Its right name, if it is near to one.
        right: Option<String>,
    },
    /// A script for another database.
    #[error("`{file}` is written for {dialect}, not for postgres{}", and_others(*files))]
    Dialect {
        /// The first file.
        file: String,
        /// The database it names.
        dialect: &'static str,
        /// How many files are for other databases.
        files: usize,
    },
    /// More than one layout.
    #[error("the set mixes layouts: {}; `{file}` is not like most", shares(found))]
    MixedLayouts {
        /// The first file of a minority.
        file: String,
        /// Each layout found, the most frequent first.
        found: Vec<LayoutShare>,
        /// The file's right name in the most frequent layout, where it has one.
        right: Option<String>,
    },
    /// Another layout than the one asked for.
    #[error("`{file}` is {found}, but the layout asked for is {asked}{}", and_others(*files))]
    WrongLayout {
        /// The first such file.
        file: String,
        /// The layout asked for.
        asked: Layout,
        /// The layout found.
        found: Layout,
        /// How many files have it.
        files: usize,
        /// The file's right name in the layout asked for, where it has one.
        right: Option<String>,
    },
    /// Another separator than most files have.
    #[error(
        "`{file}` has `{separator}` after its version where most have `{usual}`{}",
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
        /// The set's layout, with which it can be asked for.
        layout: Layout,
        /// The file's right name.
        right: String,
    },
}

impl NameError {
    /// The file to point at: the only one, or the first.
    pub fn file(&self) -> &str {
        match self {
            Self::Ending { file, .. }
            | Self::Backup { file, .. }
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
            | Self::MixedSeparators { file, .. } => file,
        }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Ending { right, .. }
            | Self::NearlyFlyway { right, .. }
            | Self::NoSeparator { right, .. }
            | Self::FolderFile { right: Some(right), .. } => format!("rename it to `{right}`"),
            Self::Backup { original, .. } => format!(
                "delete it or move it out of the folder; \
                 if it is to run, rename it to `{original}`"
            ),
            Self::Copy { .. } => "delete it, or give it a version of its own".to_owned(),
            Self::Language { extension, .. } => format!(
                "rewrite it as SQL and move the `.{extension}` file out of the folder; \
                 what needs code belongs in the service"
            ),
            Self::ScriptConfig { .. } => HELP_SCRIPT_CONFIG.to_owned(),
            Self::Callback { when, .. } => format!(
                "run its SQL from the service {when} the migrator and move the file out of the folder; \
                 views and functions can be a repeatable, `R__name.sql`"
            ),
            Self::Baseline { .. } => HELP_BASELINE.to_owned(),
            Self::NoVersion { right, layout, .. } => help_no_version(right, *layout),
            Self::FolderFile { right: None, .. } => HELP_FOLDER_FILE.to_owned(),
            Self::Direction { right, up, .. } => help_direction(right, up.as_ref()),
            Self::ReleaseFolders { right, .. } => help_release(right.as_deref()),
            Self::Nested { folder, files, .. } => help_nested(folder, *files),
            Self::Dialect { .. } => HELP_DIALECT.to_owned(),
            Self::MixedLayouts { found, right, .. } => help_mixed(found, right.as_deref()),
            Self::WrongLayout { found, right, .. } => help_wrong(*found, right.as_deref()),
            Self::MixedSeparators { right, layout, .. } => format!(
                "rename it to `{right}`, or ask for `layout = \"{layout}\"`, \
                 which takes every separator"
            ),
        }
    }
}

const HELP_SCRIPT_CONFIG: &str = "delete it; `executeInTransaction=false` is the line \
    `-- migrate:no-transaction` at the top of the script";
const HELP_BASELINE: &str = "move it out of the folder; keep the migrations up to it, \
    and baseline databases that already have them";
const HELP_FOLDER_FILE: &str = "move its SQL into one of the scripts a migration folder holds: \
    `up.sql` and `down.sql`, or prisma's `migration.sql`";
const HELP_DIALECT: &str = "ask for `dialect = \"postgres\"` to take the postgres files and leave \
    the others, or move the others out of the folder";

fn help_no_version(right: &str, layout: Option<Layout>) -> String {
    let help =
        format!("rename it to `{right}`, or move it out of the folder if it is no migration");
    match layout {
        Some(_) => help,
        None => format!("{help}, or ask for `layout = \"any\"`, which orders by the whole name"),
    }
}

fn help_direction(right: &str, up: Option<&(String, String)>) -> String {
    match up {
        Some((up, up_right)) => format!("rename it to `{right}`, and `{up}` to `{up_right}`"),
        None => format!("rename it to `{right}`; if it is not that, choose another description"),
    }
}

fn help_release(right: Option<&str>) -> String {
    let example = right.map(|right| format!(", such as `{right}`")).unwrap_or_default();
    format!(
        "move the files into the migration folder itself under versions that keep their order{example}"
    )
}

fn help_nested(folder: &str, files: usize) -> String {
    let them = if files == 1 { "the file".to_owned() } else { format!("its {files} scripts") };
    format!(
        "point the macro at `{folder}` if the migrations are there; \
         else move {them} out, or up into the migration folder"
    )
}

fn help_mixed(found: &[LayoutShare], right: Option<&str>) -> String {
    let rename = match right {
        Some(right) => format!("rename it to `{right}`, and any others the same way"),
        None => "rename those that are not like most".to_owned(),
    };
    let has = |layout| found.iter().any(|share| share.layout == layout);
    if found.len() == 2 && has(Layout::Numeric) && has(Layout::Timestamp) {
        let usual = found.first().map_or(Layout::Numeric, |share| share.layout);
        return format!(
            "{rename}, or ask for `layout = \"{usual}\"`, which takes numbers of both kinds"
        );
    }
    match found.get(1) {
        Some(LayoutShare { layout, .. }) => {
            format!("{rename}; if {layout} is what is meant, ask for `layout = \"{layout}\"`")
        }
        None => rename,
    }
}

fn help_wrong(found: Layout, right: Option<&str>) -> String {
    match right {
        Some(right) => format!("rename it to `{right}`, or ask for `layout = \"{found}\"`"),
        None => format!("rename it, or ask for `layout = \"{found}\"`"),
    }
}

/// `, as are 3 more files`, for an error that stands for several files.
fn and_others(files: usize) -> String {
    match files.saturating_sub(1) {
        0 => String::new(),
        1 => ", and one more file is alike".to_owned(),
        more => format!(", and {more} more files are alike"),
    }
}

/// `, one of 3 such folders`, for an error that stands for several folders.
fn one_of(folders: usize) -> String {
    if folders == 1 { String::new() } else { format!(", one of {folders} such folders") }
}

fn article(word: &str) -> &'static str {
    if word == "up" { "an" } else { "a" }
}

fn shares(found: &[LayoutShare]) -> String {
    found.iter().map(LayoutShare::to_string).collect::<Vec<_>>().join(", ")
}
