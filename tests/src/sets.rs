//! Sets from file names and SQL in a test, with the same checks as a folder.

use migrate_runtime::Migrations;
use migrate_source::check::{
    Down, Duplicates, Empty, Lints, Objects, SetOptions, SourceFile, Syntax, check,
};

/// The set of these files, in a folder named `migrations` in messages. The server judges the names in
/// its SQL.
///
/// # Panics
///
/// When the files are not a valid set, with the mistakes.
pub fn set(files: &[(&str, &str)]) -> Migrations {
    module("default", files)
}

/// As [`set`], in a module.
///
/// # Panics
///
/// As [`set`].
pub fn module(module: &str, files: &[(&str, &str)]) -> Migrations {
    let module = module.to_owned();
    with(files, &SetOptions { module, objects: Objects::Off, ..SetOptions::default() })
}

/// As [`set`], without a check of the grammar.
///
/// # Panics
///
/// As [`set`].
pub fn unparsed(files: &[(&str, &str)]) -> Migrations {
    let (syntax, objects) = (Syntax::Off, Objects::Off);
    with(files, &SetOptions { syntax, objects, ..SetOptions::default() })
}

fn with(files: &[(&str, &str)], options: &SetOptions) -> Migrations {
    let file = |&(path, sql): &(&str, &str)| SourceFile::new(path, sql);
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    check("migrations", &files, options).unwrap_or_else(|errors| panic!("{errors}")).set
}

/// A set of `count` small migrations, each creating one table.
///
/// # Panics
///
/// Never: the files are well formed.
pub fn tables(count: usize) -> Migrations {
    let names: Vec<(String, String)> = (1..=count)
        .map(|n| {
            (format!("{n:04}_table.sql"), format!("CREATE TABLE t{n} (id int PRIMARY KEY);\n"))
        })
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    set(&files)
}

/// How real folders are read, whatever their mistakes.
pub fn lenient() -> SetOptions {
    SetOptions {
        down: Down::Unchecked,
        duplicates: Duplicates::ByName,
        empty: Empty::Allow,
        lints: Lints::Off,
        objects: Objects::Off,
        syntax: Syntax::Off,
        ..SetOptions::default()
    }
}
