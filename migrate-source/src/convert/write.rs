//! Names the new files and makes their texts. Versions are kept if all of them are in the order in which the migrations
//! run; otherwise the files are numbered.

use std::fmt::Write as _;

use migrate_set::checksum::Checksum;
use migrate_set::name::Kind;
use migrate_set::set::{Migration, TransactionMode};
use migrate_set::version::Version;

use super::NewFile;
use super::piece::{Part, Piece};
use super::text::sent;
use crate::check::{Down, Objects, SetOptions, SourceFile, check};
use crate::names::{NameOptions, classify};

/// The new files, in the order in which they run.
pub(super) fn files(pieces: Vec<Piece>) -> Vec<NewFile> {
    let is_flyway = pieces.iter().any(|piece| piece.kind == Kind::Repeatable);
    let kept = |piece: &Piece| piece.original.version.clone();
    let paths = paths(&pieces, is_flyway, kept).unwrap_or_else(|| numbered(&pieces, is_flyway));
    let file = |(piece, path): (Piece, String)| {
        let text = composed(&piece);
        let sent = sent(&piece.up.text, piece.up.mode);
        NewFile { checksum: checksum(&path, &text), path, text, original: piece.original, sent }
    };
    pieces.into_iter().zip(paths).map(file).collect()
}

fn numbered(pieces: &[Piece], is_flyway: bool) -> Vec<String> {
    let width = pieces.len().to_string().len().max(4);
    let versions = (1..=pieces.len()).map(|number| format!("{number:0width$}"));
    pieces.iter().zip(versions).map(|(piece, version)| path(piece, &version, is_flyway)).collect()
}

/// The paths with these versions; `None` if they would be misread, or would run in another order.
fn paths(
    pieces: &[Piece],
    is_flyway: bool,
    version: impl Fn(&Piece) -> Option<String>,
) -> Option<Vec<String>> {
    let named = |piece: &Piece| {
        let version = match piece.kind {
            Kind::Versioned => version(piece)?,
            Kind::Repeatable => String::new(),
        };
        Some(path(piece, &version, is_flyway))
    };
    let paths: Vec<String> = pieces.iter().map(named).collect::<Option<_>>()?;
    let read = classify(&paths, &NameOptions::default());
    let versions: Vec<_> =
        read.files.iter().filter_map(|file| file.name.version.as_ref()).collect();
    let as_meant = |(piece, file): (&Piece, &crate::names::ClassifiedFile)| {
        let found = file.name.version.as_ref().map(Version::as_str);
        found == version(piece).as_deref() || piece.kind == Kind::Repeatable
    };
    let is_read = read.errors.is_empty()
        && read.files.len() == pieces.len()
        && pieces.iter().zip(&read.files).all(as_meant)
        && versions.windows(2).all(|pair| pair[0] < pair[1]);
    is_read.then_some(paths)
}

fn path(piece: &Piece, version: &str, is_flyway: bool) -> String {
    let name = plain(&piece.original.name);
    match (piece.kind, is_flyway, name.is_empty()) {
        (Kind::Repeatable, ..) => format!("R__{name}.sql"),
        (_, true, true) => format!("V{version}.sql"),
        (_, true, false) => format!("V{version}__{name}.sql"),
        (_, false, true) => format!("{version}.sql"),
        (_, false, false) => format!("{version}_{name}.sql"),
    }
}

/// A description that means nothing but itself in a file's name.
fn plain(name: &str) -> String {
    let name = name.replace("NONTRANSACTIONAL", "");
    let name: String =
        name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let name = name.trim_matches(['_', '-']);
    let is_direction = ["up", "down", "do", "undo"].iter().any(|word| {
        name.to_ascii_lowercase()
            .strip_suffix(word)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-']))
    });
    if is_direction { format!("{name}_change") } else { name.to_owned() }
}

fn composed(piece: &Piece) -> String {
    let mut text = String::new();
    let Piece { original, up, down, .. } = piece;
    if down.is_some() {
        text += "-- UP\n";
    }
    if up.is_empty() && !up.text.contains("migrate:allow empty") {
        let file = &original.file;
        let _ = writeln!(text, "-- migrate:allow empty because `{file}` has no statements");
    }
    push(&mut text, up);
    if let Some(down) = down {
        text += "\n-- DOWN\n";
        push(&mut text, down);
    }
    text
}

fn push(text: &mut String, part: &Part) {
    if part.mode == TransactionMode::NonTransactional {
        text.push_str("-- migrate:no-transaction\n");
    }
    if !part.text.is_empty() {
        text.push_str(&part.text);
        text.push('\n');
    }
}

/// The checksum of a file's up script, if the build would take the file.
fn checksum(path: &str, text: &str) -> Option<Checksum> {
    let file = SourceFile::new(path, text);
    let options =
        SetOptions { objects: Objects::Off, down: Down::Unchecked, ..SetOptions::default() };
    let checked = check("", &[file], &options).ok()?;
    checked.set.iter().next().map(Migration::checksum)
}
