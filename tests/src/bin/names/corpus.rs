//! Reads the projects of a folder: their files, and the options that they need.

use std::fs;
use std::path::Path;

use migrate_source::check::{Choice, Down, Duplicates, Empty, SetOptions, SourceFile};
use migrate_source::discover::discover;

/// How messages show the folder of a set.
pub(crate) const FOLDER: &str = "set";

/// One folder of migrations.
#[derive(Debug)]
pub(crate) struct Project {
    /// The name of its folder.
    pub(crate) name: String,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) options: SetOptions,
    /// What its databases have before the set.
    pub(crate) before: String,
}

/// The projects whose name contains `only`, by name.
///
/// # Panics
///
/// When the folder cannot be read, or `sets` has an unknown option.
pub(crate) fn read(folder: &Path, only: &str) -> Vec<Project> {
    let mut lines: Vec<String> = match fs::read_to_string(folder.join("sets")) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(_) => folders(folder),
    };
    lines.retain(|line| line.contains(only));
    lines.sort_unstable();
    lines.iter().map(|line| project(folder, line)).collect()
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder of projects").flatten();
    let entries = entries.filter(|entry| entry.path().is_dir());
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The project of a line `NAME [--option value]...`.
fn project(folder: &Path, line: &str) -> Project {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let options = options(&words.collect::<Vec<_>>());
    let path = folder.join(&name);
    let before = fs::read_to_string(folder.join(format!("{name}.before.sql"))).unwrap_or_default();
    let mut files = discover(&path, FOLDER, options.links)
        .unwrap_or_else(|errors| panic!("{}: {errors}", path.display()));
    for file in &mut files {
        // Places are compared in the text as the set has it.
        if let Ok(text) = std::str::from_utf8(&file.bytes) {
            file.bytes = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").into_bytes();
        }
    }
    Project { name, files, options, before }
}

fn options(words: &[&str]) -> SetOptions {
    let mut options = SetOptions::default();
    for pair in words.chunks(2) {
        match pair {
            ["--duplicates", word] => options.duplicates = choice::<Duplicates>(word),
            ["--down", word] => options.down = choice::<Down>(word),
            ["--empty", word] => options.empty = choice::<Empty>(word),
            ["--layout", word] => options.names.layout = Some(choice(word)),
            _ => panic!("`{}` is not an option of a set", pair.join(" ")),
        }
    }
    options
}

fn choice<T: Choice>(word: &str) -> T {
    T::of(word).unwrap_or_else(|| panic!("`{word}` is not a value of this option"))
}
