//! Where a database is, in the forms that the drivers read.
//! A socket's folder, a port and a name go in and out. Only sockets occur: server and pooler are ours.

use std::path::PathBuf;

/// A database on a local socket, of the superuser `postgres`, without a password.
#[derive(Debug, Clone)]
pub struct Address {
    /// The folder that holds the socket.
    pub folder: PathBuf,
    /// The port, which is part of the socket's name.
    pub port: u16,
    /// The database.
    pub database: String,
}

/// The role of all connections.
pub const USER: &str = "postgres";

impl Address {
    /// As libpq and tokio-postgres read it.
    pub fn key_values(&self) -> String {
        let (folder, port, database) = (self.folder.display(), self.port, &self.database);
        format!("host='{folder}' port={port} user={USER} dbname='{database}'")
    }

    /// As arguments of a replica.
    pub fn arguments(&self) -> [String; 3] {
        [self.folder.display().to_string(), self.port.to_string(), self.database.clone()]
    }

    /// The inverse of [`Address::arguments`].
    pub fn parse(arguments: &[String]) -> Option<Address> {
        let [folder, port, database] = arguments else { return None };
        let port = port.parse().ok()?;
        Some(Address { folder: folder.into(), port, database: database.clone() })
    }
}
