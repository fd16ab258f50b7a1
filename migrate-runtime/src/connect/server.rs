//! The servers of an address, each with its own port, its own password and its own name in messages.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio_postgres::Config;

use super::address::Mistake;
use super::passfile;
use super::settings::Settings;
use super::target::number;
use crate::outcome::ConnectError;

/// One server.
#[derive(Clone)]
pub(super) struct Server {
    /// A name, an address, or the folder of a socket.
    pub(super) host: String,
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    /// Its own, from the password file.
    pub(super) password: Option<String>,
    pub(super) place: DatabasePlace,
}

/// How messages name a database, without a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabasePlace {
    /// Its name; `None` in an address in which it could be part of a password.
    pub database: Option<String>,
    /// The server; `None` as above.
    pub server: Option<String>,
}

impl fmt::Display for DatabasePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.database, &self.server) {
            (Some(database), Some(server)) => write!(f, "`{database}` on {server}"),
            (_, Some(server)) => f.write_str(server),
            _ => f.write_str("the database"),
        }
    }
}

/// Where servers have their sockets: the packages' default, then PostgreSQL's own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The servers, without their passwords.
pub(super) fn servers(settings: &Settings<'_>) -> Result<Vec<Server>, ConnectError> {
    let all = |key: &str| settings.get(key).map_or_else(Vec::new, |text| text.split(',').collect());
    let (hosts, addresses) = (all("host"), all("hostaddr"));
    let count = hosts.len().max(addresses.len()).max(1);
    for key in ["host", "hostaddr", "port"] {
        let found = all(key).len();
        // One port is that of every host.
        let is_for_all = found == 0 || key == "port" && found == 1;
        if found != count && !is_for_all {
            return Err(settings.mistake(key, &Mistake::Count(count, key)));
        }
    }
    let port = |text: &str| match text {
        "" => Some(5432),
        text => text.parse().ok().filter(|port| *port > 0),
    };
    let ports = settings.parsed("port", |text| text.split(',').map(port).collect())?;
    let ports: Vec<u16> = ports.unwrap_or_else(|| vec![5432]);
    let address = |text: &&str| if text.is_empty() { Some(None) } else { number(text).map(Some) };
    let addresses = settings.parsed("hostaddr", |_| addresses.iter().map(address).collect())?;
    let addresses: Vec<Option<IpAddr>> = addresses.unwrap_or_default();
    let server = |at: usize| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let host = hosts.get(at).copied().unwrap_or_default();
        Server::new(host, addresses.get(at).copied().flatten(), port)
    };
    Ok((0..count).map(server).collect())
}

impl Server {
    fn new(host: &str, address: Option<IpAddr>, port: u16) -> Server {
        let host = match (host, address) {
            ("", Some(address)) => address.to_string(),
            ("", None) => {
                let socket = format!(".s.PGSQL.{port}");
                let here = SOCKETS.iter().find(|folder| Path::new(folder).join(&socket).exists());
                (*here.unwrap_or(&"localhost")).to_owned()
            }
            (host, _) => host.to_owned(),
        };
        let shown = match (host.parse(), address) {
            (Ok(address), _) => SocketAddr::new(address, port).to_string(),
            _ if host.starts_with('/') => format!("the socket in {host} for port {port}"),
            _ => format!("{host}:{port}"),
        };
        let place = DatabasePlace { database: None, server: Some(shown) };
        Server { host, address, port, password: None, place }
    }

    pub(super) fn is_socket(&self) -> bool {
        self.address.is_none() && self.host.starts_with('/')
    }

    /// Adds the name of the database, and its own password from the password file.
    ///
    /// # Errors
    /// Why the file is ignored.
    pub(super) fn complete(
        &mut self,
        settings: &Settings<'_>,
        base: &Config,
    ) -> Result<(), String> {
        if settings.is_clear {
            self.place.database = database(base).map(str::to_owned);
        } else {
            // A password with an unescaped `@` may reach into host or database.
            self.place = DatabasePlace::default();
        }
        if base.get_password().is_none() {
            self.password = password(settings, base, self)?;
        }
        Ok(())
    }
}

/// The database's name, which defaults to the user's.
fn database(config: &Config) -> Option<&str> {
    config.get_dbname().or_else(|| config.get_user())
}

/// The password of a server in the password file, or why the file is ignored.
fn password(
    settings: &Settings<'_>,
    config: &Config,
    server: &Server,
) -> Result<Option<String>, String> {
    let named = settings.get("passfile").map(PathBuf::from);
    let file = named.or_else(|| settings.of_home(".pgpass"));
    let (Some(file), Some(user), Some(database)) = (file, config.get_user(), database(config))
    else {
        return Ok(None);
    };
    // As in libpq: a socket in a default folder is `localhost`.
    let is_usual = SOCKETS.contains(&server.host.as_str());
    let host = if is_usual { "localhost" } else { &server.host };
    passfile::password(&file, [host, &server.port.to_string(), database, user])
        .map_err(|problem| format!("the password file `{}` {problem}", file.display()))
}
