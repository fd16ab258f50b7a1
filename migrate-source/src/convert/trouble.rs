//! What cannot be carried over from another tool's folder, and where it is.

use std::fmt;

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
    /// One about the whole file or folder that messages show as `file`.
    pub(super) fn new(
        file: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Trouble {
        Trouble { file: file.into(), line: None, what: what.into(), help: help.into() }
    }

    /// The same about a line of the file.
    pub(super) fn at(self, line: u32) -> Trouble {
        Trouble { line: Some(line), ..self }
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

impl From<Trouble> for Troubles {
    fn from(trouble: Trouble) -> Troubles {
        Troubles(vec![trouble])
    }
}

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
    }
}

impl std::error::Error for Troubles {}
