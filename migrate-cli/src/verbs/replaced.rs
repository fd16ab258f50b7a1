//! The files of a folder that a squash file replaces: how it is named after them, and how they are removed.

use std::fs;

use migrate_runtime::Migration;

use crate::error::VerbError;
use crate::folder::Located;

/// The path of the file, which is named like the last that it replaces.
pub(super) fn path_after(last: &Migration) -> String {
    let (path, name) = (last.filename(), last.name());
    // What follows it can be the same word: `2_up.up.sql`, `2_sql.sql`.
    let after = |marks: &'static [char]| {
        let is_name = move |at: &usize| {
            path[..*at].ends_with(marks) && path[at + name.len()..].starts_with(['.', '/'])
        };
        path.match_indices(name).map(|(at, _)| at).filter(is_name)
    };
    let found = after(&['_', '-']).last().or_else(|| after(&['.']).next());
    match found.filter(|_| !name.is_empty()) {
        Some(at) => [&path[..at], "squash", &path[at + name.len()..]].concat(),
        None => path.to_owned(),
    }
}

/// The paths of the files of a migration; diesel has one more in its folder. The up script is the last: with the others
/// alone, a folder is not a set.
pub(super) fn files_of(migration: &Migration) -> Vec<String> {
    let folder = migration.filename().rsplit_once('/').map(|(folder, _)| folder);
    let metadata = folder.map(|folder| format!("{folder}/metadata.toml"));
    let scripts = [migration.down(), Some(migration.up())];
    let scripts = scripts.into_iter().flatten().map(|script| script.filename().to_owned());
    let mut paths: Vec<String> = metadata.into_iter().chain(scripts).collect();
    paths.dedup();
    paths
}

/// Removes the files of these migrations, but not the new one, and the folders that are then empty.
pub(super) fn remove(
    located: &Located,
    replaced: &[&Migration],
    new: &str,
) -> Result<Vec<String>, VerbError> {
    let mut removed = Vec::new();
    for path in replaced.iter().flat_map(|one| files_of(one)).filter(|path| path != new) {
        let file = located.path.join(&path);
        match fs::remove_file(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            removed => removed.map_err(|source| VerbError::File { file: file.clone(), source })?,
        }
        if let (Some(folder), true) = (file.parent(), path.contains('/')) {
            // It is kept if it has other files.
            let _ = fs::remove_dir(folder);
        }
        removed.push(format!("{}/{path}", located.shown));
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::tests::one;

    #[test]
    fn file_is_named_like_the_last_that_it_replaces() {
        let check = |path: &str, expected: &str| {
            assert_eq!(path_after(&one(path, "SELECT 1;")), expected);
        };
        check("0120_add_a.sql", "0120_squash.sql");
        check("0120_add_a.up.sql", "0120_squash.up.sql");
        check("V2.1__x.sql", "V2.1__squash.sql");
        check("2024-01-01-000000_x/up.sql", "2024-01-01-000000_squash/up.sql");
        check("20240126184148_x/migration.sql", "20240126184148_squash/migration.sql");
        check("000001.sql", "000001.sql");
        check("0002_s.sql", "0002_squash.sql");
        check("0002_sql.sql", "0002_squash.sql");
        check("0002-up.up.sql", "0002-squash.up.sql");
        check("1_1.sql", "1_squash.sql");
        check("1.1.1_1.sql", "1.1.1_squash.sql");
        check("1.up.up.sql", "1.squash.up.sql");
        check("20240126184148_migration/migration.sql", "20240126184148_squash/migration.sql");
    }
}
