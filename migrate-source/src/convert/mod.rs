//! Makes the files of a folder of ours from the folder of another tool: names, sections, directives, and an order that
//! the tool keeps elsewhere. It reads and writes nothing itself; [`migrate_set::former`] is what leads from a new file
//! to the tool's table.

mod trouble;
mod tool;
mod text;
mod piece;
mod named;
mod plan;
mod yoyo;
mod liquibase;
mod write;

use migrate_set::checksum::Checksum;
use migrate_set::name::shown;

use crate::check::SourceFile;
use piece::Piece;
use tool::{Reads, recognise};
pub use tool::{Tool, known};
pub use trouble::{Trouble, Troubles};

/// The folder to convert.
#[derive(Debug, Clone)]
pub struct Source<'s> {
    /// Its name in messages.
    pub shown: &'s str,
    /// Its files that can be migrations.
    pub files: &'s [SourceFile],
    /// Those of [`BESIDE`] that exist.
    pub beside: &'s [SourceFile],
}

impl<'s> Source<'s> {
    /// Something about the file at `path`.
    fn about(&self, path: &str, what: impl Into<String>, help: impl Into<String>) -> Trouble {
        Trouble::new(shown(self.shown, path), what, help)
    }

    /// The file at `path`, if it exists.
    fn file(&self, path: &str) -> Option<&'s SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The text of a file beside the migrations, if it exists.
    fn beside(&self, path: &str) -> Option<String> {
        let file = self.beside.iter().find(|file| file.path == path)?;
        Some(String::from_utf8_lossy(&file.bytes).into_owned())
    }
}

/// The files that show which tool a folder is of, or in which order its files run.
pub const BESIDE: [&str; 8] = [
    "sqitch.plan", "meta/_journal.json", "migration_lock.toml", "atlas.sum", "../diesel.toml",
    "../../diesel.toml", "../migrations.yml", "../config.toml",
];

/// What a tool's table can have of one of its files, to find and verify the migration that was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its path in the folder.
    pub file: String,
    /// The version, if its name has one.
    pub version: Option<String>,
    /// The description in its name.
    pub name: String,
    /// The key in the tool's table, if that is neither the version nor the file.
    pub key: Option<String>,
    /// The text, with its line endings; of a changeset only that.
    pub text: String,
}

/// A file of the new folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path in the folder.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What it was made of.
    pub original: Original,
    /// The checksum of its up script; `None` if that is not valid yet.
    pub checksum: Option<Checksum>,
    /// What the tool sends to run the old file, statement by statement; `None` if that is not valid, or has data.
    pub sent: Option<Vec<String>>,
}

/// The new folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The tool.
    pub tool: &'static Tool,
    /// The files, in the order in which they run.
    pub files: Vec<NewFile>,
    /// What could not be carried over, by files of the old folder.
    pub left: Vec<Trouble>,
}

/// The new files for those of `source`. `tool` names the tool, which is recognised otherwise, and each of `values` is
/// what replaces a variable.
///
/// # Errors
/// If the tool is not known, or a file cannot be read as that tool reads it.
pub fn convert(
    source: &Source<'_>,
    tool: Option<&str>,
    values: &[(String, String)],
) -> Result<Converted, Troubles> {
    let tool = match tool {
        Some(name) => tool::named(name).ok_or_else(|| tool::unknown(source, &[]))?,
        None => recognise(source)?,
    };
    let read = match tool.reads {
        Reads::Names => named::read(source, tool),
        Reads::Journal => plan::of_journal(source, tool),
        Reads::Plan => plan::of_sqitch(source, tool),
        Reads::Depends => yoyo::read(source, tool),
        Reads::Changesets => liquibase::read(source, tool, values),
    };
    let Read { mut pieces, left } = read?;
    if pieces.is_empty() && left.is_empty() {
        let what = format!("contains no migrations of {}", tool.name);
        return Err(Trouble::new(source.shown, what, "name another folder").into());
    }
    for piece in &mut pieces {
        piece.replace(tool, values);
    }
    Ok(Converted { tool, files: write::files(pieces), left })
}

/// What was read of the old folder.
#[derive(Default)]
struct Read {
    pieces: Vec<Piece>,
    left: Vec<Trouble>,
}

impl Read {
    /// These migrations, unless one of them cannot be read.
    fn of(
        pieces: impl Iterator<Item = Result<Piece, Troubles>>,
        left: Vec<Trouble>,
    ) -> Result<Read, Troubles> {
        let (mut read, mut fatal) = (Read { pieces: Vec::new(), left }, Vec::new());
        for piece in pieces {
            match piece {
                Ok(piece) => read.pieces.push(piece),
                Err(troubles) => fatal.extend(troubles.0),
            }
        }
        if fatal.is_empty() { Ok(read) } else { Err(Troubles(fatal)) }
    }
}

#[cfg(test)]
mod tests;
