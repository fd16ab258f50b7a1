//! Why another tool's table cannot be taken over.

use std::fmt;

/// One reason why nothing was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdoptObstacle {
    /// The set has no migration of this row.
    Unknown {
        /// The row: its version, or its file.
        row: String,
    },
    /// The text of the set is not what the tool applied.
    Checksum {
        /// The file, as the set names it.
        file: String,
        /// The tool's algorithm.
        algorithm: &'static str,
        /// What the tool kept.
        kept: String,
        /// What it would have kept for the text of the set.
        embedded: String,
    },
    /// The tool's own run broke there and was not fixed.
    Failed {
        /// The row: its version, or its file.
        row: String,
    },
}

impl fmt::Display for AdoptObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdoptObstacle::Unknown { row } => write!(f, "{row} is not in the set"),
            AdoptObstacle::Checksum { file, algorithm, kept, embedded } => {
                write!(
                    f,
                    "{file} is not what ran: {algorithm} {kept} was kept, the set's is {embedded}"
                )
            }
            AdoptObstacle::Failed { row } => write!(f, "{row} failed and was not mended"),
        }
    }
}

/// Every reason why nothing was taken over, in the table's order.
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

impl fmt::Display for AdoptObstacles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|obstacle| write!(f, "\n{obstacle}"))?;
        let any = |is: fn(&AdoptObstacle) -> bool| self.0.iter().any(is);
        if any(|obstacle| matches!(obstacle, AdoptObstacle::Unknown { .. })) {
            write!(f, "\nhelp: bring the missing files into the folder")?;
        }
        if any(|obstacle| matches!(obstacle, AdoptObstacle::Checksum { .. })) {
            write!(f, "\nhelp: restore the edited files as they ran")?;
        }
        if any(|obstacle| matches!(obstacle, AdoptObstacle::Failed { .. })) {
            write!(f, "\nhelp: mend what failed with the other tool first")?;
        }
        Ok(())
    }
}
