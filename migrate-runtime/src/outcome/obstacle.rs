//! Why another tool's table cannot be adopted.

use std::fmt;

use migrate_set::remedy::{Remedy, Term};
use migrate_set::text::escaped;

const UNKNOWN: &str = "add the missing files to the folder, or use {} to leave these rows out";

const CONVERTED: &str = "adopt from the table of that tool, by the column that has such values";

const CHECKSUM: &str = "restore the text that was applied, or use {} to adopt it unverified";

const REPLACED: &str =
    "adopt with a release that still has the replaced files, and then run this one";

const BRANCH: &str = "first merge the branches, with the other tool";

/// One reason against an adoption.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdoptObstacle {
    /// The set has no migration for this row.
    Unknown {
        /// The row: its version, or its file.
        row: String,
    },
    /// There is no migration for a row, and this one was converted: its tool's table has another name for it.
    Converted {
        /// The file, as the set names it.
        file: String,
        /// The tool.
        tool: String,
        /// What that tool's table has for it.
        key: String,
    },
    /// The text in the set differs from what the tool applied.
    Checksum {
        /// The file, as the set names it.
        file: String,
        /// The tool's algorithm.
        algorithm: &'static str,
        /// The checksum that the tool recorded.
        kept: String,
        /// The checksum of the text in the set, by the same algorithm.
        embedded: String,
    },
    /// The set has a squash file, whose entries are those of the migrations that it replaces.
    Replaced {
        /// The squash file, as the set names it.
        file: String,
    },
    /// The table has only the newest of each branch, and there are several.
    Branch {
        /// The row: its file.
        row: String,
    },
    /// The tool's run failed at this row and was not fixed.
    Failed {
        /// The row: its version, or its file.
        row: String,
    },
}

impl fmt::Display for AdoptObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdoptObstacle::Unknown { row } => write!(f, "{row} is not in the set"),
            AdoptObstacle::Converted { file, tool, key } => {
                write!(
                    f,
                    "{file} was converted from {tool}, whose table has `{}` for it",
                    escaped(key)
                )
            }
            AdoptObstacle::Checksum { file, algorithm, kept, embedded } => {
                let kept = escaped(kept);
                write!(
                    f,
                    "{file} differs from what was applied: {algorithm} {kept} was recorded, the set has {embedded}"
                )
            }
            AdoptObstacle::Replaced { file } => {
                write!(f, "{file} replaces migrations whose files are needed to verify the table")
            }
            AdoptObstacle::Branch { row } => write!(f, "{row} is one of several branches"),
            AdoptObstacle::Failed { row } => write!(f, "{row} failed and was not fixed"),
        }
    }
}

/// Every reason against an adoption, in the table's order.
///
/// ```
/// use migrate_runtime::adopt::AdoptObstacle;
/// use migrate_runtime::{Error, ErrorKind};
///
/// fn missing_files(error: &Error) -> usize {
///     let ErrorKind::Adoption { obstacles, .. } = error.kind() else { return 0 };
///     let is_missing = |one: &&AdoptObstacle| matches!(one, AdoptObstacle::Unknown { .. });
///     obstacles.0.iter().filter(is_missing).count()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptObstacles(pub Vec<AdoptObstacle>);

impl AdoptObstacles {
    /// What to do about each kind of them, in lines of their own.
    pub(super) fn help(&self) -> Remedy {
        let any = |is: fn(&AdoptObstacle) -> bool| self.0.iter().any(is);
        let is_unknown = any(|obstacle| matches!(obstacle, AdoptObstacle::Unknown { .. }));
        let converted = any(|obstacle| matches!(obstacle, AdoptObstacle::Converted { .. }));
        let differs = any(|obstacle| matches!(obstacle, AdoptObstacle::Checksum { .. }));
        let replaced = any(|obstacle| matches!(obstacle, AdoptObstacle::Replaced { .. }));
        let branch = any(|obstacle| matches!(obstacle, AdoptObstacle::Branch { .. }));
        let failed = any(|obstacle| matches!(obstacle, AdoptObstacle::Failed { .. }));
        let texts = [
            (converted, CONVERTED),
            (is_unknown, UNKNOWN),
            (differs, CHECKSUM),
            (replaced, REPLACED),
            (branch, BRANCH),
            (failed, "first fix what failed, with the other tool"),
        ];
        let texts = texts.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text);
        let terms: &[Term] = match (is_unknown, differs) {
            (true, true) => &[Term::AllowMissing, Term::AllowEdited],
            (true, false) => &[Term::AllowMissing],
            (false, _) => &[Term::AllowEdited],
        };
        Remedy::new(texts.collect::<Vec<_>>().join("\nhelp: "), terms)
    }
}

impl fmt::Display for AdoptObstacles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|obstacle| write!(f, "\n{obstacle}"))
    }
}
