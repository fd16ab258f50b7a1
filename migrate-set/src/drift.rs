//! The deviations between ledger and set that [`crate::plan::plan`] reports, each with its remedy.

use std::fmt;

use thiserror::Error;

use crate::remedy::{Remedy, Term};
use crate::text::{escaped, role};

/// One deviation between ledger and set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Drift {
    /// An applied migration was edited and no longer means the same.
    #[error(
        "version {version}: `{file}` was edited after {applied_by} applied it at {applied_at} \
         (applied {recorded}, the set has {embedded})",
        applied_by = role(applied_by),
        recorded = escaped(recorded)
    )]
    Edited {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// The checksum in the ledger.
        recorded: String,
        /// The checksum in the set.
        embedded: String,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
    /// Another migration was applied under the version: name and text both differ.
    #[error(
        "version {version}: `{filename}` was applied by {applied_by} at {applied_at}, and `{file}` is another migration",
        filename = escaped(filename),
        applied_by = role(applied_by)
    )]
    VersionTaken {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// The file that was applied.
        filename: String,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
    /// The statements of an applied migration are the same, but it would run in another way.
    #[error(
        "version {version}: `{file}` {} when {applied_by} applied it at {applied_at}, and {}",
        directive("was", recorded.as_deref()),
        directive("is", embedded.as_deref()),
        applied_by = role(applied_by)
    )]
    Directive {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// The directive that it was applied with: `no-transaction` or `function`.
        recorded: Option<String>,
        /// The directive in the set.
        embedded: Option<String>,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
    /// The text of an applied migration has another version in the set.
    #[error(
        "version {version}: `{filename}` was applied and is renumbered to `{file}`",
        version = escaped(version),
        filename = escaped(filename)
    )]
    Renumbered {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
        /// The version as the set writes it.
        new_version: String,
        /// The file with that text now, as the set names it.
        file: String,
    },
    /// A non-transactional migration stopped partway, and the set's text does not begin with what took
    /// effect.
    #[error(
        "version {version}: `{file}` is unfinished: {}, and the set's text does not begin with {}",
        took_effect(*done, *in_flight),
        if *done + u32::from(*in_flight) == 1 { "it" } else { "them" }
    )]
    HalfDone {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// Statements that took effect.
        done: u32,
        /// Whether the outcome of the next statement is unknown.
        in_flight: bool,
    },
    /// The checksum in the ledger was made by an algorithm that this binary does not know.
    #[error(
        "version {version}: the checksum of `{file}` in the ledger was made with `{algorithm}`, which this binary does not know",
        algorithm = escaped(algorithm)
    )]
    UnknownAlgorithm {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// The algorithm in the ledger.
        algorithm: String,
    },
    /// An entry has no migration in the set, although the set has newer ones.
    #[error(
        "version {version}: `{filename}` was applied by {applied_by} at {applied_at} and is missing from the set",
        version = escaped(version),
        filename = escaped(filename),
        applied_by = role(applied_by)
    )]
    Missing {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
        /// A pending file of the same name with another version and another text.
        namesake: Option<String>,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
    /// The ledger has entries of some of what a squash file replaces, and not of all.
    #[error(
        "version {version}: `{file}` replaces versions {first} to {version}, and the ledger has only {present} of \
         {total}; version {missing} is missing{}",
        if *is_unfinished { " because it is unfinished" } else { "" }
    )]
    PartlyReplaced {
        /// The version as the set writes it.
        version: String,
        /// The squash file, as the set names it.
        file: String,
        /// The first version that it replaces.
        first: String,
        /// How many of these are applied.
        present: usize,
        /// How many it replaces.
        total: usize,
        /// The first version that is not applied.
        missing: String,
        /// Whether that has begun.
        is_unfinished: bool,
    },
    /// An entry of what a squash file replaces is that of another text.
    #[error(
        "version {version}: {applied_by} applied another text at {applied_at} than the one that `{file}` replaces \
         (applied {recorded}, it replaces {embedded})",
        applied_by = role(applied_by),
        recorded = escaped(recorded)
    )]
    ReplacedEdited {
        /// The version that is replaced.
        version: String,
        /// The squash file, as the set names it.
        file: String,
        /// The checksum in the ledger.
        recorded: String,
        /// The checksum that the squash file lists.
        embedded: String,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
    /// A pending migration sorts before one that was applied.
    #[error(
        "version {version}: `{file}` is pending and sorts before version {newest}, which was applied",
        newest = escaped(newest)
    )]
    OutOfOrder {
        /// The version as the set writes it.
        version: String,
        /// The file, as the set names it.
        file: String,
        /// The newest version applied.
        newest: String,
    },
    /// The ledger has an entry newer than the set, and the policy refuses that.
    #[error(
        "version {version}: `{filename}` was applied by {applied_by} at {applied_at} and is newer than this set",
        version = escaped(version),
        filename = escaped(filename),
        applied_by = role(applied_by)
    )]
    Ahead {
        /// The version as the ledger writes it.
        version: String,
        /// The file that was applied.
        filename: String,
        /// When it was applied.
        applied_at: String,
        /// By which role.
        applied_by: String,
    },
}

impl Drift {
    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            Drift::Edited { .. } => Remedy::new(HELP_EDITED, &[Term::AllowEdited]),
            Drift::Directive { .. } => Remedy::new(HELP_DIRECTIVE, &[Term::AllowEdited]),
            Drift::VersionTaken { file, .. } => format!(
                "if two branches took the version, give `{file}` one above the newest applied one; if the \
                 ledger is another service's, give this set a module of its own"
            )
            .into(),
            Drift::Renumbered { new_version, filename, .. } => {
                let filename = escaped(filename);
                let help = format!(
                    "use {{}} to record version {new_version} without running it again, or name the file \
                     `{filename}` again"
                );
                Remedy::new(help, &[Term::Accept])
            }
            Drift::HalfDone { .. } => {
                Remedy::new(HELP_HALF_DONE, &[Term::Forget, Term::ForgetUnfinished])
            }
            Drift::UnknownAlgorithm { .. } => HELP_ALGORITHM.into(),
            Drift::Missing { namesake: Some(file), .. } => {
                let help = format!(
                    "restore the file, or use {{}} if `{file}`, which would run, is another migration"
                );
                Remedy::new(help, &[Term::AllowMissing])
            }
            Drift::Missing { .. } => Remedy::new(HELP_MISSING, &[Term::AllowMissing]),
            Drift::PartlyReplaced { version, .. } => format!(
                "migrate this database with a release that still has the replaced files, up to version {version}, and \
                 then run this one"
            )
            .into(),
            Drift::ReplacedEdited { .. } => {
                Remedy::new(HELP_REPLACED_EDITED, &[Term::AllowEdited])
            }
            Drift::OutOfOrder { .. } => Remedy::new(HELP_ORDER, &[Term::AllowOutOfOrder]),
            Drift::Ahead { .. } => Remedy::new(HELP_AHEAD, &[Term::RefuseAhead]),
        }
    }
}

const HELP_EDITED: &str = "restore the file and put the change into a new migration, or use {}";
const HELP_REPLACED_EDITED: &str = "find out with the release that applied it what differs, and change that with a new migration; then use {}";
const HELP_DIRECTIVE: &str =
    "restore its directives and put the change into a new migration, or use {}";
const HELP_HALF_DONE: &str = "restore what took effect at the beginning of the file, below \
    `-- migrate:no-transaction`, and the next run continues after it; or undo it by hand, and {} or {} makes the \
    next run begin with the first statement";
const HELP_ALGORITHM: &str = "run a binary at least as new as the one that applied it";
const HELP_MISSING: &str = "restore the file, or use {}";
const HELP_ORDER: &str = "give it a version above the newest applied one, or use {}";
const HELP_AHEAD: &str = "deploy a binary that includes it, or remove {}";

/// `was with` a directive, in the past or the present tense.
fn directive(tense: &str, name: Option<&str>) -> String {
    name.map_or_else(
        || format!("{tense} without a directive"),
        |name| format!("{tense} with `-- migrate:{}`", escaped(name)),
    )
}

/// What of an unfinished migration took effect and is kept.
fn took_effect(done: u32, in_flight: bool) -> String {
    let perhaps = if in_flight { ", and perhaps the next one" } else { "" };
    match done {
        0 => "its first statement perhaps took effect".to_owned(),
        1 => format!("its first statement took effect{perhaps}"),
        done => format!("its first {done} statements took effect{perhaps}"),
    }
}

/// All deviations; never empty.
///
/// ```
/// # use migrate_set::drift::{Drift, DriftReport};
/// /// Whether the only deviations are edited files.
/// fn is_edited_only(report: &DriftReport) -> bool {
///     report.0.iter().all(|drift| matches!(drift, Drift::Edited { .. }))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftReport(pub Vec<Drift>);

impl DriftReport {
    /// Whether all that is wrong is that only some of what a squash file replaces is applied: an older release can
    /// be applying the rest.
    pub fn is_partly_replaced(&self) -> bool {
        self.0.iter().all(|drift| matches!(drift, Drift::PartlyReplaced { .. }))
    }
}

impl fmt::Display for DriftReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.0.len() == 1 { "place" } else { "places" };
        write!(f, "ledger and set disagree in {} {places}", self.0.len())?;
        for drift in &self.0 {
            write!(f, "\n{drift}\n  help: ")?;
            drift.help().fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for DriftReport {}
