//! The mistakes in file names and their texts.

use std::fmt;

use migrate_set::name::{Direction, Layout, shown};

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
    /// The same in the set of the folder `set`, so that its help can name another folder as a path.
    pub(crate) fn within(mut self, set: &str) -> Self {
        if let Self::Nested { folder, .. } = &mut self
            && !holds_downs(folder)
        {
            *folder = shown(set, folder);
        }
        self
    }

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
