//! What to do about a mistake in a file name.

use migrate_set::name::Layout;
use migrate_set::remedy::{Remedy, Term};

use super::error::{LayoutShare, NameError};
use super::folders::holds_downs;

impl NameError {
    /// What to do next.
    pub fn help(&self) -> Remedy {
        let help = match self {
            Self::Ending { right, .. }
            | Self::NearlyFlyway { right, .. }
            | Self::NoSeparator { right, .. }
            | Self::FolderFile { right: Some(right), .. } => return rename(right),
            Self::Backup { original, .. } => format!(
                "delete it or move it out of the folder; if it should run, rename it to `{original}`"
            ),
            Self::Template { right, .. } => format!(
                "write its SQL to `{right}`; a run replaces `{{{{schema}}}}` and `{{{{tables.NAME}}}}` in it"
            ),
            Self::Language { extension, .. } => format!(
                "rewrite it as SQL and move the `.{extension}` file out of the folder; \
                 what needs code belongs in the service"
            ),
            Self::Callback { when, .. } => format!(
                "run its SQL from the service {when} the migrator and move the file out of the folder; \
                 views and functions can go into a repeatable migration, `R__name.sql`"
            ),
            Self::NoVersion { file, right, layout } => {
                return help_no_version(file, right, *layout);
            }
            Self::Direction { right, up, .. } => help_direction(right, up.as_ref()),
            Self::ReleaseFolders { right, .. } => help_release(right.as_deref()),
            Self::Nested { folder, files, folders: ..2, .. } => help_nested(folder, *files),
            Self::Dialect { .. } => return Remedy::new(HELP_DIALECT, &[Term::DialectPostgres]),
            Self::MixedLayouts { found, right, .. } => return help_mixed(found, right.as_deref()),
            Self::WrongLayout { asked, found, right: None, .. }
                if has_no_repeatable(*asked, *found) =>
            {
                HELP_REPEATABLE.to_owned()
            }
            Self::WrongLayout { found, right, .. } => return help_wrong(*found, right.as_deref()),
            Self::MixedLengths { right, .. } => return rename(right).or(DATES, &[Term::Layout]),
            Self::MixedSeparators { right, layout, .. } => return help_separators(right, *layout),
            Self::Control { .. }
            | Self::Copy { .. }
            | Self::ScriptConfig { .. }
            | Self::Baseline { .. }
            | Self::FolderFile { right: None, .. }
            | Self::Nested { .. } => return self.plain_help().into(),
        };
        help.into()
    }

    /// What to do next, if that does not depend on the file.
    fn plain_help(&self) -> &'static str {
        match self {
            Self::Copy { .. } => "delete it, or give it a version of its own",
            Self::ScriptConfig { .. } => HELP_SCRIPT_CONFIG,
            Self::Baseline { .. } => HELP_BASELINE,
            Self::FolderFile { .. } => HELP_FOLDER_FILE,
            Self::Nested { .. } => HELP_FOLDERS,
            _ => "rename it",
        }
    }
}

fn rename(right: &str) -> Remedy {
    format!("rename it to `{right}`").into()
}

const JOURNAL: &str = ", in the order of `meta/_journal.json` if drizzle made it";
const DATES: &str = "set {}timestamp`, which orders them as dates";
const HELP_SCRIPT_CONFIG: &str = "delete it; instead of `executeInTransaction=false`, write \
    `-- migrate:no-transaction` at the top of the script";
const HELP_BASELINE: &str = "move it out of the folder; keep the migrations up to it, \
    and baseline databases that already have them";
const HELP_FOLDER_FILE: &str = "move its SQL into a script that a migration folder can contain: \
    `up.sql` or `down.sql`, or prisma's `migration.sql`";
const HELP_FOLDERS: &str = "if the folders have one order of versions, move their files into the migration \
    folder itself; if each is a set, embed each with a module name of its own";
const HELP_REPEATABLE: &str = "a set of folders has no repeatable migrations: put the statements into a new \
    migration, each time they change";
const HELP_DIALECT: &str = "set {} to use the postgres files and ignore the \
    others, or move the others out of the folder";

fn help_no_version(file: &str, right: &str, layout: Option<Layout>) -> Remedy {
    // The empty prefix of drizzle's `prefix: "none"`.
    let journal = if file.starts_with('_') { JOURNAL } else { "" };
    let help = format!(
        "rename it to `{right}`{journal}, or move it out of the folder if it is not a migration"
    );
    let help = Remedy::from(help);
    if !journal.is_empty() {
        return help;
    }
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

/// Whether a file of layout `found` without a name in `layout` is a repeatable migration.
fn has_no_repeatable(layout: Layout, found: Layout) -> bool {
    matches!(layout, Layout::Folders | Layout::Prisma) && found == Layout::Flyway
}

fn help_mixed(found: &[LayoutShare], right: Option<&str>) -> Remedy {
    if let (None, [most, other]) = (right, found)
        && has_no_repeatable(most.layout, other.layout)
    {
        return HELP_REPEATABLE.into();
    }
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

fn help_separators(right: &str, layout: Layout) -> Remedy {
    let option = format!("set {{}}{layout}`, which accepts every separator");
    rename(right).or(option, &[Term::Layout])
}

fn help_wrong(found: Layout, right: Option<&str>) -> Remedy {
    right.map_or("rename it".into(), rename).or(format!("set {{}}{found}`"), &[Term::Layout])
}
