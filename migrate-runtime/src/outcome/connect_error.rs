//! Why there is no connection, and what to do about it, in a text without any password.

use std::fmt;

use migrate_set::remedy::Remedy;

/// Why there is no connection: [`connect`](crate::connect()) and
/// [`Migrator::run_url`](crate::Migrator::run_url) return it.
///
/// Its first line is what failed and where, without a password; `help:` is the next action, which names options as
/// code does, or with `{:#}` as the command line does. `Debug` shows the same text as `{}`, because a `main` that returns an error prints that.
pub struct ConnectError {
    pub(crate) what: String,
    pub(crate) help: Remedy,
    pub(crate) is_usage: bool,
    pub(crate) source: Option<tokio_postgres::Error>,
}

impl ConnectError {
    /// Whether the caller's settings are at fault, and not the server or the network.
    ///
    /// ```
    /// # async fn f() {
    /// let error = migrate_runtime::connect("postgresql://me@localhost:door/shop").await.unwrap_err();
    /// assert!(error.is_usage()); // no server was contacted
    /// # }
    /// ```
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhelp: ", self.what)?;
        self.help.fmt(f)
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `#`, which `dbg!` sets.
        write!(f, "{self}")
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
