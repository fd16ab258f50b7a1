//! A created migration with SQL in it is the newest of its set, in every layout.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use migrate_runtime::Migrations;
use migrate_runtime::set::Layout;
use migrate_runtime::source::{
    CreateError, CreateOptions, Links, NameOptions, SetOptions, create, from_folder,
};
use migrate_source::history_file::freeze;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::string::string_regex;
use tempfile::TempDir;

const UP: &str = "-- The statements of this migration.\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn load(folder: &Path) -> Migrations {
    from_folder(folder, &SetOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Every file of a folder with its text, by its path below the folder.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(folder).expect("below").display().to_string();
            found.insert(below, fs::read_to_string(&path).expect("a file"));
        }
    }
    found
}

/// Creates migrations one after the other; each is the newest, and the others are unchanged.
fn grow(folder: &Path, descriptions: &[&str], options: &CreateOptions) {
    for description in descriptions {
        let before = contents(folder);
        let created =
            create(folder, description, options).unwrap_or_else(|error| panic!("{error}"));
        let refused = from_folder(folder, &SetOptions::default()).expect_err("an empty migration");
        assert!(refused.to_string().contains("contains no statements"), "{refused}");
        assert_eq!(refused.0.len(), 1, "{refused}");
        let up = &created.files[0];
        let text = fs::read_to_string(up).expect("the up script");
        assert_eq!(text.matches(UP).count(), 1, "{text}");
        fs::write(up, text.replace(UP, "SELECT 7;\n")).expect("the up script");
        let set = load(folder);
        let newest = set.iter().max_by(|a, b| a.version().cmp(b.version()));
        let newest = newest.expect("a migration");
        assert_eq!(newest.version().as_str(), created.version.as_str());
        assert_eq!(folder.join(newest.filename()), *up);
        assert_eq!(newest.up().statements().len(), 1);
        let same = set.iter().filter(|migration| migration.version() == &created.version);
        assert_eq!(same.count(), 1);
        let after = contents(folder);
        assert_eq!(after.len(), before.len() + created.files.len());
        assert!(before.iter().all(|(path, text)| after.get(path) == Some(text)));
    }
}

/// The name of the newest migration of a set, and its contents.
fn histories() -> impl Strategy<Value = Vec<(String, String)>> {
    let numbers = "0{0,4}[1-9][0-9]{0,5}";
    let date = "20[012][0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9])";
    let dashed = "20[012][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])";
    let clock = "([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]";
    let versions = [
        numbers.to_owned(),
        "[1-9]\\.[0-9]{1,3}".to_owned(),
        format!("{date}{clock}"),
        format!("{date}_{clock}"),
        date.to_owned(),
        format!("{dashed}-{clock}"),
        format!("{dashed}-{clock}-0000"),
        dashed.to_owned(),
        "16[0-9]{8}".to_owned(),
    ];
    let version = Union::new(versions.map(|regex| string_regex(&regex).expect("a regex")));
    let text = prop_oneof![
        Just("SELECT 1;\n"),
        Just("-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n"),
        Just("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        Just("-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"),
        Just("SELECT 1;\n---- create above / drop below ----\nSELECT 2;\n"),
    ];
    (version, "[_-]", "[a-z]{3,8}", text, 0..6_u8).prop_map(|(version, mark, slug, text, kind)| {
        let one = "SELECT 1;\n";
        let files = match kind {
            0 => vec![(format!("{version}{mark}{slug}.sql"), text)],
            1 => vec![
                (format!("{version}{mark}{slug}.up.sql"), one),
                (format!("{version}{mark}{slug}.down.sql"), one),
            ],
            2 => vec![(format!("V{}__{slug}.sql", version.replace('-', ".")), text)],
            3 => vec![
                (format!("V{}__{slug}.sql", version.replace('-', ".")), one),
                (format!("U{}__{slug}.sql", version.replace('-', ".")), one),
            ],
            4 => vec![
                (format!("{version}_{slug}/up.sql"), one),
                (format!("{version}_{slug}/down.sql"), one),
            ],
            _ => vec![(format!("{version}_{slug}/migration.sql"), text)],
        };
        files.into_iter().map(|(path, text)| (path, text.to_owned())).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn created_migrations_are_the_newest(
        files in histories(),
        words in proptest::collection::vec("[A-Za-zäßЖ]{4,7}( [a-z0-9]{4,6})?[ !-]{0,2}", 1..4),
    ) {
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let folder = folder(&files);
        load(folder.path());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        grow(folder.path(), &words, &CreateOptions::default());
    }

    #[test]
    fn any_description_gives_a_migration_or_an_error(description in "\\PC{0,24}") {
        let folder = folder(&[("0001_a.sql", "SELECT 1;")]);
        match create(folder.path(), &description, &CreateOptions::default()) {
            Ok(created) => {
                fs::write(&created.files[0], "SELECT 7;").expect("the up script");
                prop_assert_eq!(load(folder.path()).len(), 2);
            }
            Err(CreateError::Refused(_)) => prop_assert_eq!(contents(folder.path()).len(), 1),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn empty_folders_grow_in_every_layout() {
    for layout in Layout::ALL.into_iter().filter(|layout| *layout != Layout::Any) {
        let folder = folder(&[]);
        let names = NameOptions { layout: Some(layout), ..NameOptions::default() };
        let options = CreateOptions { names, ..CreateOptions::default() };
        grow(folder.path(), &["add users", "Add posts", "views"], &options);
        assert_eq!(load(folder.path()).layout(), layout);
    }
}

#[test]
fn default_template_has_both_sections() {
    let folder = folder(&[]);
    let created = create(folder.path(), "add users", &CreateOptions::default()).expect("a file");
    assert_eq!(created.files, [folder.path().join("0001_add_users.sql")]);
    let expected = format!("created {}", created.files[0].display());
    assert_eq!(created.to_string(), expected);
    assert_eq!(
        fs::read_to_string(&created.files[0]).expect("the file"),
        "-- UP\n-- The statements of this migration.\n\n-- DOWN\n-- The statements that undo it.\n"
    );
}

#[test]
fn history_file_is_read_and_left_alone() {
    let old = folder(&[("0001_a.sql", "SELECT 1;"), ("0009_b.sql", "SELECT 2;")]);
    let text = freeze(&load(old.path()));
    let new = folder(&[("0001_a.sql", "SELECT 1;"), ("migrations.history", &text)]);
    let history = new.path().join("migrations.history");
    let options = CreateOptions { history: Some(history.clone()), ..CreateOptions::default() };
    let created = create(new.path(), "c", &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(created.version.as_str(), "0010");
    assert_eq!(fs::read_to_string(&history).expect("the history"), text);
    fs::write(&history, format!("{text}<<<<<<< HEAD\n=======\n>>>>>>> b\n")).expect("the history");
    let error = create(new.path(), "d", &options).expect_err("a merge conflict").to_string();
    let expected = "migrations.history: lines 4 to 6 are a merge conflict\n\
                    help: restore the main branch's version of the file, then add the other migrations with \
                    `MIGRATE_UPDATE_HISTORY=1 cargo build`";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn history_file_that_is_a_link_to_nowhere_is_not_a_missing_one() {
    let folder = folder(&[("0001_a.sql", "SELECT 1;")]);
    let history = folder.path().join(".history");
    symlink("nowhere", &history).expect("a link");
    let options = CreateOptions { history: Some(history), ..CreateOptions::default() };
    let error = create(folder.path(), "b", &options).expect_err("a dangling link").to_string();
    assert!(error.contains("/.history: cannot be read: No such file"), "{error}");
}

#[test]
fn folders_that_cannot_take_a_migration_say_so() {
    let error = create("no/such/folder", "x", &CreateOptions::default()).expect_err("no folder");
    assert!(error.to_string().starts_with("no/such/folder: cannot be read: No such file"));
    let mixed = folder(&[("0001_a.sql", "SELECT 1;"), ("V2__b.sql", "SELECT 1;")]);
    let error = create(mixed.path(), "x", &CreateOptions::default()).expect_err("two layouts");
    assert!(matches!(error, CreateError::Refused(_)), "{error}");
    assert_eq!(contents(mixed.path()).len(), 2);
}

/// A draft looks only at the names of files, so other things with its name are found when it is written.
#[test]
fn nothing_is_written_where_one_file_is_in_the_way() {
    let files = [("1_a/up.sql", "SELECT 1;"), ("1_a/down.sql", "SELECT 1;"), ("2_b", "a note")];
    let folder = folder(&files);
    let occupied = folder.path().join("2_b/up.sql");
    let error = create(folder.path(), "b", &CreateOptions::default()).expect_err("occupied");
    let expected = format!(
        "`{}` already exists and is not overwritten\nhelp: create the migration again",
        occupied.display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(contents(folder.path()).len(), 3);
}

#[test]
fn nothing_is_written_if_one_file_cannot_be() {
    let folder = folder(&[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "SELECT 1;")]);
    let long = "x".repeat(300);
    let error = create(folder.path(), &long, &CreateOptions::default()).expect_err("too long");
    assert!(matches!(&error, CreateError::File { source, .. } if source.raw_os_error().is_some()));
    let file = folder.path().join(format!("2_{long}.up.sql"));
    let expected = format!(
        "`{}` cannot be written\n\
         help: check the permissions of its folder and the free disk space",
        file.display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(contents(folder.path()).len(), 2);
}

/// The folder of a migration is as new as its files.
#[test]
fn nothing_is_written_through_a_link() {
    let folder = folder(&[("1_a/up.sql", "SELECT 1;"), ("1_a/down.sql", "SELECT 1;")]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(elsewhere.path(), folder.path().join("2_b")).expect("a link");
    let options = CreateOptions { links: Links::Follow, ..CreateOptions::default() };
    let error = create(folder.path(), "b", &options).expect_err("occupied").to_string();
    let expected =
        "/2_b/up.sql` already exists and is not overwritten\nhelp: create the migration again";
    assert!(error.ends_with(expected), "{error}");
    assert_eq!(contents(elsewhere.path()).len(), 0);
}
