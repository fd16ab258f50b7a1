//! The libraries that are compared: the names of their files, and the templates of their programs.

/// One of the libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// This library.
    Ours,
    /// refinery, on tokio-postgres.
    Refinery,
    /// sqlx, on a pool of one connection.
    Sqlx,
    /// `diesel_migrations`, on libpq.
    Diesel,
}

impl Peer {
    /// In the order of the tables' columns.
    pub const ALL: [Peer; 4] = [Peer::Ours, Peer::Refinery, Peer::Sqlx, Peer::Diesel];

    /// The package that is measured.
    pub const fn name(self) -> &'static str {
        match self {
            Peer::Ours => "migrate-runtime",
            Peer::Refinery => "refinery",
            Peer::Sqlx => "sqlx",
            Peer::Diesel => "diesel_migrations",
        }
    }

    /// The folder of its program below `programs`.
    pub const fn program(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Refinery => "refinery",
            Peer::Sqlx => "sqlx",
            Peer::Diesel => "diesel",
        }
    }

    /// The path of a migration's up script below the folder.
    pub fn path(self, number: usize, name: &str) -> String {
        match self {
            Peer::Ours | Peer::Sqlx => format!("{number:04}_{name}.sql"),
            Peer::Refinery => format!("V{number}__{name}.sql"),
            Peer::Diesel => format!("{number:014}_{name}/up.sql"),
        }
    }
}
