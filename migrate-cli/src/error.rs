//! Why a verb failed: one type for every error, with its exit code.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use migrate_runtime::error::{ConnectError, Place};
use migrate_runtime::internal::SchemaForm;
use migrate_runtime::internal::text::quoted;
use migrate_runtime::set::Position;
use migrate_runtime::{ErrorKind, Report};
use migrate_source::check::SourceErrors;
use migrate_source::convert::Troubles;
use migrate_source::create::CreateError;
use tokio_postgres::error::SqlState;

use crate::exit::Exit;

/// Why a verb failed. With `{:#}`, which the texts of the libraries pass on, its help names the options of
/// the command line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerbError {
    #[error("{what}\nhelp: {help}")]
    Usage { what: String, help: &'static str },
    #[error("nothing was changed, because the answer was not yes")]
    Declined,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refused a statement about a database.
    #[error("cannot {what}: {}\nhelp: {help}", said(source))]
    Server { what: String, help: &'static str, source: tokio_postgres::Error },
    /// The server has what migrations create for all its databases, before they are applied to one of their own.
    #[error(
        "{}\nhelp: all databases of a server share it: use a server without it, such as a new one; or drop it, if \
         nothing needs it",
        found.join("\n")
    )]
    Exists { found: Vec<String> },
    #[error(transparent)]
    Migrate(#[from] migrate_runtime::Error),
    /// The folder is not a valid set, or does not match its history file.
    #[error(transparent)]
    Set(#[from] SourceErrors),
    /// A file has another schema than that of the set.
    #[error(
        "the schema of {folder} is not that of {file}\n{}help: review the difference, then write the file: \
         `{command}`",
        listed(differences)
    )]
    Schema { file: String, folder: String, differences: Vec<String>, command: String },
    /// There is no schema file yet.
    #[error("`{file}` does not exist\nhelp: write it, and commit it: `{command}`")]
    NoSchema { file: String, command: String },
    /// A schema file is of the other form.
    #[error(
        "`{0}` is a file of `{1}`, not of `{2}`\n\
         help: compare it with `{1} --check {0}`, or write one of the other form: `{2} --output FILE`",
        file.display(), found.verb(), expected.verb()
    )]
    SchemaForm { file: PathBuf, found: SchemaForm, expected: SchemaForm },
    /// A file is of neither form.
    #[error(
        "`{0}` is not a schema file: its first line is not that of `{1}`\n\
         help: name another file, or write one: `{1} --output FILE`",
        file.display(),
        expected.verb()
    )]
    NoSchemaForm { file: PathBuf, expected: SchemaForm },
    #[error(transparent)]
    Create(CreateError),
    /// Another tool's folder cannot be converted.
    #[error(transparent)]
    Convert(#[from] Troubles),
    /// What `convert` made is not shown to leave the same database.
    #[error("{what}\nhelp: {help}")]
    Unproved { what: String, help: &'static str },
    #[error(
        "`{}` cannot be read or written: {source}\n\
         help: check that its folder exists and is writable, and that the disk has space",
        file.display()
    )]
    File { file: PathBuf, source: io::Error },
    #[error(
        "`{}` cannot be read: {source}\nhelp: check its name, and that the user who runs this can read it",
        file.display()
    )]
    Unread { file: PathBuf, source: io::Error },
}

impl From<CreateError> for VerbError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::File { file, source } => VerbError::File { file, source },
            error => VerbError::Create(error),
        }
    }
}

/// How many differing lines an error shows.
const SHOWN: usize = 40;

/// The first of these lines.
fn listed(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines.iter().take(SHOWN) {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(more) = lines.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  .. and {more} more");
    }
    text
}

/// What the server said, with its detail.
fn said(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else { return error.to_string() };
    let detail =
        db.detail().map_or_else(String::new, |detail| format!("\ndetail: {}", quoted(detail)));
    format!("{} (SQLSTATE {}){detail}", quoted(db.message()), db.code().code())
}

impl VerbError {
    /// Whether the database of the address does not exist.
    pub(crate) fn is_missing_database(&self) -> bool {
        let VerbError::Connect(error) = self else { return false };
        let source =
            error.source().and_then(|source| source.downcast_ref::<tokio_postgres::Error>());
        source.and_then(tokio_postgres::Error::code) == Some(&SqlState::UNDEFINED_DATABASE)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            VerbError::Connect(error) if error.is_usage() => Exit::Usage,
            VerbError::Migrate(error) => match error.kind() {
                ErrorKind::Pending { .. } => Exit::Pending,
                ErrorKind::Drift { .. } | ErrorKind::Schema { .. } => Exit::Drift,
                ErrorKind::BadName { .. }
                | ErrorKind::UnknownVersion { .. }
                | ErrorKind::NoEntry { .. } => Exit::Usage,
                _ => Exit::Failed,
            },
            VerbError::Usage { .. } | VerbError::Declined => Exit::Usage,
            VerbError::Schema { .. } | VerbError::NoSchema { .. } => Exit::Drift,
            _ => Exit::Failed,
        }
    }

    /// The error's kind in the JSON, which is a stable format.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            VerbError::Usage { .. } => "usage",
            VerbError::Declined => "declined",
            VerbError::Connect(_) => "connection",
            VerbError::Set(_) | VerbError::Convert(_) | VerbError::Unproved { .. } => "set",
            VerbError::Schema { .. } | VerbError::NoSchema { .. } => "schema",
            VerbError::Create(_)
            | VerbError::File { .. }
            | VerbError::Unread { .. }
            | VerbError::SchemaForm { .. }
            | VerbError::NoSchemaForm { .. } => "file",
            VerbError::Server { .. } | VerbError::Exists { .. } => "database",
            VerbError::Migrate(error) => error.code(),
        }
    }

    /// The file and, if known, the place in it.
    pub(crate) fn place(&self) -> Option<(&str, Option<Position>)> {
        let VerbError::Migrate(error) = self else { return None };
        match error.kind() {
            ErrorKind::Migration { failure, .. } => match &failure.place {
                Place::Statement { position, .. } => Some((&failure.file, Some(*position))),
                _ => Some((&failure.file, None)),
            },
            ErrorKind::Placeholder { file, position, .. } => Some((file, Some(*position))),
            ErrorKind::Pooled { file, .. }
            | ErrorKind::Function { file, .. }
            | ErrorKind::TransactionEnded { file, .. }
            | ErrorKind::NoFunction { file, .. } => Some((file, None)),
            ErrorKind::Hook { file, .. } => file.as_deref().map(|file| (file, None)),
            _ => None,
        }
    }

    /// What the run did before it failed.
    pub(crate) fn report(&self) -> Option<&Report> {
        let VerbError::Migrate(error) = self else { return None };
        error.report()
    }
}
