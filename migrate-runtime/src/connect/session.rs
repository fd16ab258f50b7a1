//! Which servers are acceptable: the words of `target_session_attrs` (manual, section 34.1.2).

use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Error};

use crate::wire;

/// What a session has to allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Session {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    /// A standby, and any server if there is none.
    PreferStandby,
}

impl Session {
    pub(super) fn parse(text: &str) -> Option<Session> {
        Some(match text {
            "any" => Session::Any,
            "read-write" => Session::ReadWrite,
            "read-only" => Session::ReadOnly,
            "primary" => Session::Primary,
            "standby" => Session::Standby,
            "prefer-standby" => Session::PreferStandby,
            _ => return None,
        })
    }

    /// The driver's word for it; `None` if it has none.
    pub(super) fn driver(self) -> Option<TargetSessionAttrs> {
        match self {
            Session::Any => Some(TargetSessionAttrs::Any),
            Session::ReadWrite => Some(TargetSessionAttrs::ReadWrite),
            Session::ReadOnly => Some(TargetSessionAttrs::ReadOnly),
            Session::Primary | Session::Standby | Session::PreferStandby => None,
        }
    }

    /// What is wanted of all servers, and then what is wanted if none of them is acceptable.
    pub(super) fn rounds(self) -> &'static [Session] {
        match self {
            Session::Any => &[Session::Any],
            Session::ReadWrite => &[Session::ReadWrite],
            Session::ReadOnly => &[Session::ReadOnly],
            Session::Primary => &[Session::Primary],
            Session::Standby => &[Session::Standby],
            Session::PreferStandby => &[Session::Standby, Session::Any],
        }
    }

    /// Whether the session of `client` is acceptable.
    pub(super) async fn accepts(self, client: &Client) -> Result<bool, Error> {
        if self == Session::Any {
            return Ok(true);
        }
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), \
                   pg_catalog.current_setting('transaction_read_only')";
        let answer = wire::query(client, sql).await?;
        let is = |column: usize, value: &str| {
            answer.as_ref().is_some_and(|row| row.try_get(column).ok().flatten() == Some(value))
        };
        Ok(match self {
            Session::Any | Session::PreferStandby => true,
            Session::ReadWrite => is(1, "off"),
            Session::ReadOnly => is(1, "on"),
            Session::Primary => is(0, "f"),
            Session::Standby => is(0, "t"),
        })
    }

    /// What a server that is not acceptable is not.
    pub(super) fn refusal(self) -> &'static str {
        match self {
            Session::Any | Session::PreferStandby => "it is not acceptable",
            Session::ReadWrite => "its sessions are read-only",
            Session::ReadOnly => "its sessions are not read-only",
            Session::Primary => "it is a standby",
            Session::Standby => "it is not a standby",
        }
    }
}
