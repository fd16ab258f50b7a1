//! Why a verb failed: one type for every error, with its exit code. The library's texts are not
//! reworded, so that an error reads the same in a log and in a terminal.

use std::fmt;
use std::path::PathBuf;

use migrate_runtime::error::Place;
use migrate_runtime::{Error, ErrorKind, Report};
use migrate_source::check::SourceErrors;
use migrate_source::create::CreateError;

use super::connection::ConnectError;
use super::exit::Exit;

/// Why a verb failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request is not valid.
    Usage {
        what: String,
        help: &'static str,
    },
    /// The user was asked, and did not confirm.
    Declined,
    /// A signal came, and the run did not end when its statement was cancelled.
    Interrupted,
    Connect(ConnectError),
    Migrate(Error),
    /// The folder is not a valid set, or does not match its history file.
    Set(SourceErrors),
    Create(CreateError),
    File {
        file: PathBuf,
        source: std::io::Error,
    },
}

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        Fault::Connect(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Migrate(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Usage { what, help: "" } => f.write_str(what),
            Fault::Usage { what, help } => write!(f, "{what}\nhelp: {help}"),
            Fault::Declined => f.write_str("nothing was changed, because the answer was not yes"),
            Fault::Interrupted => f.write_str(
                "interrupted: each migration is applied and recorded, or neither\n\
                 help: `status` shows which are applied",
            ),
            Fault::Connect(error) => error.fmt(f),
            Fault::Migrate(error) => error.fmt(f),
            Fault::Set(errors) => errors.fmt(f),
            Fault::Create(error @ CreateError::File { source, .. }) => {
                // Its text does not include the operating system's error.
                let text = error.to_string();
                let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
                write!(f, "{first}: {source}\n{rest}")
            }
            Fault::Create(error) => error.fmt(f),
            Fault::File { file, source } => write!(
                f,
                "`{}` cannot be read or written: {source}\nhelp: check its folder's permissions \
                 and free space",
                file.display()
            ),
        }
    }
}

impl Fault {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Fault::Connect(error) if error.is_usage() => Exit::Usage,
            Fault::Migrate(error) => match error.kind() {
                ErrorKind::Pending { .. } => Exit::Pending,
                ErrorKind::Drift { .. } => Exit::Drift,
                ErrorKind::BadName { .. }
                | ErrorKind::UnknownVersion { .. }
                | ErrorKind::NoEntry { .. } => Exit::Usage,
                _ => Exit::Failed,
            },
            Fault::Usage { .. } | Fault::Declined => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    /// The error's kind in the JSON, which is a stable format.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Fault::Usage { .. } => "usage",
            Fault::Declined => "declined",
            Fault::Interrupted => "interrupted",
            Fault::Connect(_) => "connection",
            Fault::Set(_) => "set",
            Fault::Create(_) | Fault::File { .. } => "file",
            Fault::Migrate(error) => error.code(),
        }
    }

    /// The file and, if known, line and column in it.
    pub(super) fn place(&self) -> Option<(&str, Option<(u32, u32)>)> {
        let Fault::Migrate(error) = self else { return None };
        match error.kind() {
            ErrorKind::Migration { failure, .. } => {
                let position = match &failure.place {
                    Place::Statement { position, .. } => Some((position.line, position.column)),
                    _ => None,
                };
                Some((&failure.file, position))
            }
            ErrorKind::Placeholder { file, position, .. } => {
                Some((file, Some((position.line, position.column))))
            }
            ErrorKind::Pooled { file, .. }
            | ErrorKind::Function { file, .. }
            | ErrorKind::TransactionEnded { file, .. }
            | ErrorKind::NoFunction { file, .. } => Some((file, None)),
            ErrorKind::Hook { file, .. } => file.as_deref().map(|file| (file, None)),
            _ => None,
        }
    }

    /// What the run did before it failed.
    pub(super) fn report(&self) -> Option<&Report> {
        match self {
            Fault::Migrate(error) => error.report(),
            _ => None,
        }
    }

    /// The SQLSTATE of a migration that the server refused.
    pub(super) fn sqlstate(&self) -> Option<&str> {
        let Fault::Migrate(error) = self else { return None };
        let ErrorKind::Migration { failure, .. } = error.kind() else { return None };
        failure.sqlstate.as_deref()
    }
}
