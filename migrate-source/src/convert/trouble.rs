//! What cannot be carried over from another tool's folder, and where it is.

use std::fmt;

use migrate_set::location::position;
use migrate_set::name::shown;

/// Something that a new folder does not have, or why there is no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file or the folder, as messages show it.
    pub file: String,
    /// The line, if it is about one.
    pub line: Option<u32>,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Trouble {
    pub(super) fn new(
        file: impl Into<String>,
        line: Option<u32>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Trouble {
        Trouble { file: file.into(), line, what: what.into(), help: help.into() }
    }

    /// One about the byte `at` of a file's text.
    pub(super) fn at(
        (folder, path): (&str, &str),
        (text, at): (&str, usize),
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Trouble {
        Trouble::new(shown(folder, path), Some(position(text, at).line), what, help)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))?;
        write!(f, ": {}\nhelp: {}", self.what, self.help)
    }
}

/// Why there is no new folder; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Troubles(pub Vec<Trouble>);

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, trouble) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "\n\n" })?;
            trouble.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Troubles {}
