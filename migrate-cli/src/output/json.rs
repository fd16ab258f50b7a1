//! The JSON of the command line, format 1, which `docs/cli.md` describes. Fields may be added to a
//! format; to rename or remove one takes a new format number.

use std::time::Duration;

use migrate_runtime::internal::DatabasePlace;
use migrate_runtime::{Applied, Drift, Report};
use serde::Serialize;

use super::Answer;
use super::failure::ErrorBody;
pub(crate) use super::folder::{ObjectBody, ProblemBody};
use crate::error::VerbError;
use crate::exit::Exit;

const FORMAT: u32 = 1;

/// What is printed.
#[derive(Serialize)]
pub(super) struct Document<'d> {
    format: u32,
    verb: &'static str,
    exit_code: u8,
    /// The module of the set, of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<&'d str>,
    /// Of a verb that has a connection.
    #[serde(flatten)]
    place: Option<PlaceBody<'d>>,
    #[serde(flatten)]
    body: Option<&'d Body>,
    /// What a run did before it failed.
    #[serde(flatten)]
    done: Option<RunBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
}

impl<'d> Document<'d> {
    pub(super) fn new(
        verb: &'static str,
        exit: Exit,
        set: Option<&'d str>,
        place: Option<&'d DatabasePlace>,
        result: &'d Result<Answer, VerbError>,
    ) -> Self {
        let error = result.as_ref().err();
        Document {
            format: FORMAT,
            verb,
            exit_code: exit.code(),
            set,
            place: place.map(PlaceBody::new),
            body: result.as_ref().ok().map(|answer| &answer.body),
            done: error.and_then(VerbError::report).map(RunBody::new),
            error: error.map(ErrorBody::new),
        }
    }
}

/// Where a verb ran.
#[derive(Serialize)]
struct PlaceBody<'d> {
    database: Option<&'d str>,
    server: Option<&'d str>,
}

impl<'d> PlaceBody<'d> {
    fn new(place: &'d DatabasePlace) -> Self {
        PlaceBody { database: place.database.as_deref(), server: place.server.as_deref() }
    }
}

/// The part that depends on the verb.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Status(StatusBody),
    Plan {
        steps: Vec<StepBody>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sql: Option<String>,
    },
    Undo {
        undo: Vec<UndoBody>,
    },
    Verify {
        pending: Vec<String>,
    },
    History {
        ledger: String,
        module: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        as_of: Option<String>,
        entries: Vec<HistoryBody>,
    },
    Run(RunBody),
    Trial {
        ran: Vec<AppliedBody>,
        notes: Vec<String>,
        elapsed_ms: u64,
    },
    Ready {
        waited_ms: u64,
    },
    Database {
        dropped: bool,
        created: bool,
    },
    Prepared {
        files: Vec<String>,
        notes: Vec<String>,
    },
    Created {
        migration_version: String,
        files: Vec<String>,
    },
    Frozen {
        file: String,
        written: bool,
        migrations: usize,
        changes: Vec<String>,
    },
    Checked {
        folder: String,
        migrations: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        against: Option<String>,
        warnings: Vec<ProblemBody>,
    },
    Schema {
        folder: String,
        migrations: usize,
        objects: Vec<ObjectBody>,
        unknown: Vec<String>,
    },
    SchemaText {
        schema: String,
    },
    SchemaWritten {
        file: String,
    },
    Differences {
        differences: Vec<String>,
    },
    SchemaChecked {
        folder: String,
        file: String,
        differences: Vec<String>,
    },
    Converted {
        tool: &'static str,
        files: Vec<String>,
        left: Vec<ProblemBody>,
    },
    Script {
        shell: String,
        script: String,
    },
}

#[derive(Serialize)]
pub(crate) struct StatusBody {
    pub(crate) ledger: String,
    pub(crate) module: String,
    pub(crate) pending: usize,
    pub(crate) migrations: Vec<StatusRowBody>,
    pub(crate) drift: Vec<DriftBody>,
    pub(crate) writers: Vec<String>,
    pub(crate) other_modules: Vec<String>,
    /// The page that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) html: Option<String>,
}

impl StatusBody {
    /// The note on modules that the program has no set of.
    pub(crate) fn other_sets(&self) -> Option<String> {
        let modules = self.other_modules.join(", ");
        (!modules.is_empty())
            .then(|| format!("the ledger also has modules of other sets: {modules}"))
    }
}

#[derive(Serialize, Default)]
pub(crate) struct StatusRowBody {
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) state: &'static str,
    pub(crate) applied_at: Option<String>,
    pub(crate) applied_by: Option<String>,
    pub(crate) duration_ms: Option<u64>,
    /// If unfinished: how many statements took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statements_done: Option<u32>,
    /// If unfinished: whether the next statement may have taken effect too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<bool>,
}

impl StatusRowBody {
    /// Its name, or the file of a migration that the set does not have.
    pub(crate) fn title(&self) -> &str {
        if self.name.is_empty() { &self.file } else { &self.name }
    }
}

#[derive(Serialize)]
pub(crate) struct DriftBody {
    kind: &'static str,
    version: String,
    file: String,
    pub(super) message: String,
    pub(super) help: String,
}

impl DriftBody {
    pub(crate) fn new(drift: &Drift) -> DriftBody {
        let (kind, version, file) = drift_parts(drift);
        DriftBody {
            kind,
            version: version.to_owned(),
            file: file.to_owned(),
            message: drift.to_string(),
            help: format!("{:#}", drift.help()),
        }
    }
}

/// One word for a deviation, and its version and file.
pub(crate) fn drift_parts(drift: &Drift) -> (&'static str, &str, &str) {
    match drift {
        Drift::Edited { version, file, .. } => ("edited", version, file),
        Drift::Directive { version, file, .. } => ("directive", version, file),
        Drift::HalfDone { version, file, .. } => ("half_done", version, file),
        Drift::UnknownAlgorithm { version, file, .. } => ("unknown_algorithm", version, file),
        Drift::Missing { version, filename, .. } => ("missing", version, filename),
        Drift::OutOfOrder { version, file, .. } => ("out_of_order", version, file),
        Drift::Ahead { version, filename, .. } => ("ahead", version, filename),
        Drift::VersionTaken { version, file, .. } => ("version_taken", version, file),
        Drift::Renumbered { new_version, file, .. } => ("renumbered", new_version, file),
        _ => ("other", "", ""),
    }
}

#[derive(Serialize)]
pub(crate) struct StepBody {
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) cause: &'static str,
    pub(crate) transactional: bool,
    pub(crate) statements: usize,
    /// The release of its phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contract_after: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct UndoBody {
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) applied_at: String,
    pub(crate) applied_by: String,
    pub(crate) transactional: bool,
    /// Where the script comes from.
    pub(crate) from: &'static str,
    pub(crate) sql: String,
}

#[derive(Serialize)]
pub(crate) struct HistoryBody {
    pub(crate) position: i64,
    pub(crate) act: &'static str,
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) checksum: Option<String>,
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) application: String,
    pub(crate) duration_ms: u64,
    /// The position at which the entry ended.
    pub(crate) ended: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct RunBody {
    applied: Vec<AppliedBody>,
    undone: Vec<AppliedBody>,
    amended: Vec<AppliedBody>,
    skipped: usize,
    ahead: Vec<String>,
    notes: Vec<String>,
    messages: u32,
    waited_ms: u64,
    elapsed_ms: u64,
}

impl RunBody {
    pub(super) fn new(report: &Report) -> RunBody {
        let amended = report.amended.iter().map(|amended| AppliedBody {
            version: amended.version.clone(),
            name: amended.name.clone(),
            file: amended.filename.clone(),
            duration_ms: None,
        });
        RunBody {
            applied: report.applied.iter().map(AppliedBody::new).collect(),
            undone: report.undone.iter().map(AppliedBody::new).collect(),
            amended: amended.collect(),
            skipped: report.skipped.len(),
            ahead: report.ahead.clone(),
            notes: report.notes.clone(),
            messages: report.messages,
            waited_ms: millis(report.waited),
            elapsed_ms: millis(report.elapsed),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct AppliedBody {
    version: String,
    name: String,
    file: String,
    /// `None` if only the entry changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

impl AppliedBody {
    pub(crate) fn new(applied: &Applied) -> AppliedBody {
        AppliedBody {
            version: applied.version.to_string(),
            name: applied.name.to_string(),
            file: applied.filename.to_string(),
            duration_ms: Some(millis(applied.duration)),
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
