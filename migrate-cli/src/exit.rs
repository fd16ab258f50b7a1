//! What a command line exits with.
//! An outcome goes in, a number comes out; the numbers are part of what is promised.

/// What a verb exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// 0: it is done, or all is well.
    Fine,
    /// 1: it failed.
    Failed,
    /// 2: it was asked for what cannot be, or was not allowed to go on; nothing was changed.
    Usage,
    /// 3: migrations are pending (`status`, `verify`).
    Pending,
    /// 4: ledger and set disagree.
    Drift,
}

impl Exit {
    /// The number.
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
