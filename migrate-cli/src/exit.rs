//! The exit codes of the command line, which are part of its stable interface.

/// What a verb exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// 0: the verb succeeded.
    Fine,
    /// 1: the verb failed.
    Failed,
    /// 2: the request was not valid, or was not confirmed; nothing was changed.
    Usage,
    /// 3: migrations are pending (`status`, `verify`).
    Pending,
    /// 4: ledger and set disagree.
    Drift,
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
        match self {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Pending => 3,
            Exit::Drift => 4,
        }
    }
}
