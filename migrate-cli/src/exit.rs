//! The exit codes of the command line, which are part of its stable interface.

/// What a verb exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The verb succeeded.
    Fine = 0,
    /// The verb failed, or its output cannot be written.
    Failed = 1,
    /// The request was not valid, or was not confirmed; nothing was changed.
    Usage = 2,
    /// Migrations are pending (`verify`, `status --exit-code`).
    Pending = 3,
    /// Ledger and set disagree, or a file and the schema of the set (`schema --check`), or that and the
    /// database (`diff`).
    Drift = 4,
}

impl Exit {
    /// The exit code.
    ///
    /// ```
    /// use migrate_cli::Exit;
    ///
    /// assert_eq!(Exit::Pending.code(), 3);
    /// ```
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The one that matters more, of two sets.
    pub(crate) fn worse(self, other: Exit) -> Exit {
        let failed = [self, other].contains(&Exit::Failed);
        let more = if other.code() > self.code() { other } else { self };
        if failed { Exit::Failed } else { more }
    }
}
