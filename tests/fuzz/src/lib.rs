//! The properties of every result of `migrate_source::check::check`, whether it accepts the set or not. A
//! broken property panics, which fuzzing finds.

use std::panic;

use migrate_set::name::Kind;
use migrate_set::set::{Migrations, Script};
use migrate_source::check::{Checked, SetOptions, SourceError, SourceErrors, SourceFile, check};

/// What messages call the folder.
pub const FOLDER: &str = "migrations";

/// A frame's three lines, and what a long line may be cut into; one line above it, one `help:`.
const MESSAGE_LINES: usize = 12;

/// The verdict on `files`, sound in itself.
///
/// # Errors
/// As `check`.
///
/// # Panics
/// Where the verdict is not sound.
pub fn verdict(files: &[SourceFile], options: &SetOptions) -> Result<Checked, SourceErrors> {
    let verdict = check(FOLDER, files, options);
    match &verdict {
        Ok(checked) => {
            assert!(!checked.set.is_empty(), "a checked set is never empty");
            for warning in &checked.warnings {
                message_is_sound(warning, files);
            }
            set_is_sound(&checked.set);
        }
        Err(SourceErrors(errors)) => {
            assert!(!errors.is_empty(), "a refusal says why");
            for error in errors {
                message_is_sound(error, files);
            }
        }
    }
    verdict
}

/// A panic ends the process, as libFuzzer wants it, unless it is the parser's.
pub fn let_the_parser_panic() {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let of_parser = |file: &str| file.contains("squawk") || file.contains("rowan");
        if !info.location().is_some_and(|location| of_parser(location.file())) {
            abort(info);
        }
    }));
}

/// A file of a set.
#[must_use]
pub fn file(path: &str, bytes: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: bytes.into() }
}

/// The text as the library reads it: LF, no byte order mark.
#[must_use]
pub fn read(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n")
}

/// It names a file of the set, a place within that file, and what to do, in a few lines.
fn message_is_sound(error: &SourceError, files: &[SourceFile]) {
    let shown = error.to_string();
    assert!(!error.help().to_string().is_empty(), "no help: {shown}");
    assert!(shown.lines().count() <= MESSAGE_LINES, "long: {shown}");
    let path = error.file().strip_prefix(FOLDER).expect("a file of the folder");
    let named = files.iter().find(|file| path.strip_prefix('/') == Some(&*file.path));
    assert!(named.is_some() || path.is_empty(), "no such file: {shown}");
    let Some(position) = error.position() else { return };
    let text = read(&named.expect("a position has a file").bytes);
    let line = text.split('\n').nth(position.line as usize - 1).expect("a line of the file");
    let columns = line.chars().count() + 1;
    assert!((1..=columns).contains(&(position.column as usize)), "no such column: {shown}");
}

/// Versions rise strictly, and every script can be sent.
fn set_is_sound(set: &Migrations) {
    let versioned: Vec<_> = set.iter().filter(|m| m.kind() == Kind::Versioned).collect();
    for pair in versioned.windows(2) {
        assert!(pair[0].version() < pair[1].version(), "{pair:?}");
    }
    for migration in set {
        script_is_sound(migration.up());
        migration.down().into_iter().for_each(script_is_sound);
    }
}

/// Its ranges are in order, none is empty, each placeholder is in one of them.
fn script_is_sound(script: &Script) {
    let mut last = 0;
    for (start, end) in script.statements() {
        assert!(last <= start && start < end, "{start}..{end} after {last}");
        assert!(script.text().get(start..end).is_some(), "{start}..{end} cuts a character");
        script.render((start, end), Some("a schema")).expect("a script that can be sent");
        last = end;
    }
    for placeholder in script.placeholders() {
        let (start, end) = (placeholder.start as usize, placeholder.end as usize);
        let inside = script.statements().any(|range| range.0 <= start && end <= range.1);
        assert!(inside, "{placeholder:?} is in no statement");
    }
}
