//! The JSON of the command line, format 1, which `docs/cli.md` describes. Fields may be added to a
//! format; to rename or remove one takes a new format number.

use migrate_runtime::report::Amended;
use migrate_runtime::{Applied, ErrorKind, Report};
use migrate_set::drift::Drift;
use migrate_source::check::SourceErrors;
use serde::Serialize;

use super::exit::Exit;
use super::fault::Fault;
use super::page::Answer;
use super::paint::reworded;

const FORMAT: u32 = 1;

/// What is printed.
#[derive(Serialize)]
pub(super) struct Document<'d> {
    format: u32,
    verb: &'static str,
    exit_code: u8,
    #[serde(flatten)]
    body: Option<&'d Body>,
    #[serde(flatten)]
    of_failure: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FaultBody>,
}

impl<'d> Document<'d> {
    pub(super) fn new(verb: &'static str, exit: Exit, result: Result<&'d Answer, &Fault>) -> Self {
        let exit_code = exit.code();
        let (body, of_failure, error) = match result {
            Ok(answer) => (Some(&answer.body), None, None),
            Err(fault) => (None, partial(fault), Some(FaultBody::new(fault))),
        };
        Document { format: FORMAT, verb, exit_code, body, of_failure, error }
    }
}

/// What a run did before it failed.
fn partial(fault: &Fault) -> Option<Body> {
    fault.report().map(|report| Body::Run(RunBody::new(report)))
}

/// The part that depends on the verb.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Body {
    Status(StatusBody),
    Plan(PlanBody),
    Undo(UndoBody),
    Verify { pending: Vec<String> },
    History(HistoryBody),
    Run(RunBody),
    Trial(TrialBody),
    Created { migration_version: String, files: Vec<String> },
    Frozen { file: String, written: bool, migrations: usize },
    Checked { folder: String, migrations: usize, warnings: Vec<ProblemBody> },
    Script { shell: String, script: String },
}

#[derive(Serialize)]
pub(super) struct StatusBody {
    pub(super) database: Option<String>,
    pub(super) server: Option<String>,
    pub(super) ledger: String,
    pub(super) module: String,
    pub(super) pending: usize,
    pub(super) migrations: Vec<StatusRowBody>,
    pub(super) drift: Vec<DriftBody>,
    pub(super) writers: Vec<String>,
    /// The page that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) html: Option<String>,
}

#[derive(Serialize)]
pub(super) struct StatusRowBody {
    pub(super) version: String,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) state: &'static str,
    pub(super) applied_at: Option<String>,
    pub(super) applied_by: Option<String>,
    pub(super) duration_ms: Option<u64>,
    /// If unfinished: how many statements took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statements_done: Option<u32>,
    /// If unfinished: whether the next statement may have taken effect too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_flight: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct DriftBody {
    kind: &'static str,
    version: String,
    file: String,
    message: String,
    help: String,
}

impl DriftBody {
    pub(super) fn new(drift: &Drift) -> DriftBody {
        let (kind, version, file) = drift_parts(drift);
        let help = reworded(&format!("help: {}", drift.help()));
        DriftBody {
            kind,
            version: version.to_owned(),
            file: file.to_owned(),
            message: drift.to_string(),
            help: help.trim_start_matches("help: ").to_owned(),
        }
    }
}

impl DriftBody {
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn help(&self) -> &str {
        &self.help
    }
}

/// One word for a deviation, and its version and file.
pub(super) fn drift_parts(drift: &Drift) -> (&'static str, &str, &str) {
    match drift {
        Drift::Edited { version, file, .. } => ("edited", version, file),
        Drift::UnknownAlgorithm { version, file, .. } => ("unknown_algorithm", version, file),
        Drift::Missing { version, filename, .. } => ("missing", version, filename),
        Drift::OutOfOrder { version, file, .. } => ("out_of_order", version, file),
        Drift::Ahead { version, filename, .. } => ("ahead", version, filename),
        _ => ("other", "", ""),
    }
}

#[derive(Serialize)]
pub(super) struct PlanBody {
    pub(super) steps: Vec<StepBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sql: Option<String>,
}

#[derive(Serialize)]
pub(super) struct StepBody {
    pub(super) version: String,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) cause: &'static str,
    pub(super) transactional: bool,
    pub(super) statements: usize,
}

#[derive(Serialize)]
pub(super) struct UndoBody {
    pub(super) undo: Vec<UndoRowBody>,
}

#[derive(Serialize)]
pub(super) struct UndoRowBody {
    pub(super) version: String,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) applied_at: String,
    pub(super) applied_by: String,
    pub(super) transactional: bool,
    /// Where the script comes from.
    pub(super) from: &'static str,
    pub(super) sql: String,
}

#[derive(Serialize)]
pub(super) struct HistoryBody {
    pub(super) ledger: String,
    pub(super) module: String,
    pub(super) entries: Vec<HistoryRowBody>,
}

#[derive(Serialize)]
pub(super) struct HistoryRowBody {
    pub(super) position: i64,
    pub(super) act: &'static str,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) checksum: Option<String>,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) duration_ms: u64,
}

#[derive(Serialize)]
pub(super) struct RunBody {
    applied: Vec<AppliedBody>,
    undone: Vec<AppliedBody>,
    amended: Vec<AmendedBody>,
    skipped: usize,
    ahead: Vec<String>,
    notes: Vec<String>,
    messages: u32,
    waited_ms: u64,
    elapsed_ms: u64,
}

impl RunBody {
    pub(super) fn new(report: &Report) -> RunBody {
        let amended = |amended: &Amended| AmendedBody {
            version: amended.version.clone(),
            name: amended.name.clone(),
            file: amended.filename.clone(),
        };
        RunBody {
            applied: report.applied.iter().map(AppliedBody::new).collect(),
            undone: report.undone.iter().map(AppliedBody::new).collect(),
            amended: report.amended.iter().map(amended).collect(),
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
pub(super) struct AppliedBody {
    version: String,
    name: String,
    file: String,
    duration_ms: u64,
}

impl AppliedBody {
    pub(super) fn new(applied: &Applied) -> AppliedBody {
        AppliedBody {
            version: applied.version.to_string(),
            name: applied.name.to_string(),
            file: applied.filename.to_string(),
            duration_ms: millis(applied.duration),
        }
    }
}

#[derive(Serialize)]
pub(super) struct AmendedBody {
    version: String,
    name: String,
    file: String,
}

#[derive(Serialize)]
pub(super) struct TrialBody {
    pub(super) ran: Vec<AppliedBody>,
    pub(super) notes: Vec<String>,
    pub(super) elapsed_ms: u64,
}

/// A mistake in a folder.
#[derive(Serialize)]
pub(super) struct ProblemBody {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    help: String,
}

impl ProblemBody {
    pub(super) fn all(errors: &SourceErrors) -> Vec<ProblemBody> {
        let problem = |error: &migrate_source::check::SourceError| ProblemBody {
            file: error.file().to_owned(),
            line: error.position().map(|position| position.line),
            column: error.position().map(|position| position.column),
            message: error.problem().to_string(),
            help: reworded(&format!("help: {}", error.help()))
                .trim_start_matches("help: ")
                .to_owned(),
        };
        errors.0.iter().map(problem).collect()
    }
}

/// Why the verb failed.
#[derive(Serialize)]
struct FaultBody {
    kind: &'static str,
    /// The first line.
    message: String,
    help: Option<String>,
    /// All of it, as a terminal shows it.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlstate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drift: Vec<DriftBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<ProblemBody>,
}

impl FaultBody {
    fn new(fault: &Fault) -> FaultBody {
        let text = reworded(&fault.to_string());
        let message = text.lines().next().unwrap_or_default().to_owned();
        let help = text.lines().find_map(|line| line.strip_prefix("help: ")).map(str::to_owned);
        let (file, position) = fault.place().map_or((None, None), |(file, at)| (Some(file), at));
        let file = file.map(str::to_owned);
        let kind = match fault {
            Fault::Migrate(error) => Some(error.kind()),
            _ => None,
        };
        let pending = match kind {
            Some(ErrorKind::Pending { versions }) => Some(versions.clone()),
            _ => None,
        };
        let drift = match kind {
            Some(ErrorKind::Drift { drift, .. }) => drift.0.iter().map(DriftBody::new).collect(),
            _ => Vec::new(),
        };
        let problems = match fault {
            Fault::Set(errors) => ProblemBody::all(errors),
            _ => Vec::new(),
        };
        FaultBody {
            kind: fault.kind(),
            message,
            help,
            text,
            file,
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            sqlstate: fault.sqlstate().map(str::to_owned),
            pending,
            drift,
            problems,
        }
    }
}

/// Whole milliseconds.
pub(super) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
