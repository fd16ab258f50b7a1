//! Decides which migration a version, a file or a name in another tool's table means.

use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

/// Whether `version`, with the name if the tool has one, is that of `migration`.
pub(super) fn is_of_version(version: &Version, name: Option<&str>, migration: &Migration) -> bool {
    if migration.kind() != Kind::Versioned {
        return false;
    }
    let ours = migration.version();
    // diesel removes the dashes from a folder's version.
    let without_dashes = || ours.as_str().replace('-', "") == version.as_str();
    let with_name = || {
        ours.without_name().is_some_and(|ours| ours == *version) && name == Some(migration.name())
    };
    ours == version || without_dashes() || with_name()
}

/// Whether `file`, a path or its last part, with or without its ending, is this path of the set.
pub(super) fn is_file(file: &str, filename: &str) -> bool {
    file == filename || stem(file) == stem(filename)
}

/// The last part of a path without its ending; of a file that is named by its folder, the folder.
fn stem(path: &str) -> &str {
    let folder = path.strip_suffix("/migration.sql").or_else(|| path.strip_suffix("/up.sql"));
    let path = folder.unwrap_or(path);
    let base = path.rsplit('/').next().unwrap_or_default();
    let stem = base.strip_suffix(".sql").unwrap_or(base);
    stem.strip_suffix(".up").unwrap_or(stem)
}

/// The only migration with this version, or with this name after its version; with `begins`, with a name that
/// begins with it. Two migrations can have one name, and then it means neither.
pub(super) fn only_of_name<'s>(
    set: &'s Migrations,
    name: &str,
    begins: bool,
) -> Option<&'s Migration> {
    let version = Version::new(name.to_owned());
    if let Some(of_version) = set.iter().find(|one| is_of_version(&version, None, one)) {
        return Some(of_version);
    }
    let is_it = |one: &&Migration| {
        let rest = one.name().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || (begins && rest.starts_with(['_', '-'])))
    };
    let mut all = set.iter().filter(is_it);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}
