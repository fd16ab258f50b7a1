//! Puts an address and the environment together, as libpq does: the address wins, the variables
//! fill in (manual, section 34.15).
//! An address and the variables go in, what the driver and TLS are told comes out.
//! The environment is asked through a function on purpose, so that its rules are tests.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::CONNECT_LIMIT;
use super::address::{Address, Mistake, split};
use super::error::ConnectError;
use super::passfile::{self, Wanted};
use super::tls::{Mode, Tls};

/// Asks the environment for a variable.
type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// What to connect to.
pub(in crate::cli) struct Target {
    pub(super) config: Config,
    pub(super) tls: Tls,
    pub(in crate::cli) place: Place,
    /// A password file that is not used, and why.
    pub(in crate::cli) warning: Option<String>,
}

/// How messages name a database; never with a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Place {
    pub(in crate::cli) database: Option<String>,
    pub(in crate::cli) server: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.database, &self.server) {
            (Some(database), Some(server)) => write!(f, "`{database}` on {server}"),
            (_, Some(server)) => f.write_str(server),
            _ => f.write_str("the database"),
        }
    }
}

/// The variables that name a database, one of which has to be there without an address.
const NAMING: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER"];

/// Where servers have their sockets, by the packages' habit and by PostgreSQL's own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

pub(super) fn target(url: Option<&str>, env: Environment<'_>) -> Result<Target, ConnectError> {
    let (origin, address) = address(url, env)?;
    let unreadable = |mistake| ConnectError::address(origin, &mistake);
    let mut config: Config = if address.driver.is_empty() {
        Config::new()
    } else {
        address.driver.parse().map_err(|_| unreadable(Mistake::Driver))?
    };
    fill_in(&mut config, env)?;
    let said = |key: &str| {
        let all = address.settings.iter().rev();
        all.clone().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let mode = match (said("sslmode"), text(env, "PGSSLMODE")?) {
        (Some(mode), _) => Mode::parse(&mode).map_err(unreadable)?,
        (None, Some(mode)) => {
            Mode::parse(&mode).map_err(|mistake| ConnectError::variable("PGSSLMODE", &mistake))?
        }
        (None, None) => Mode::default(),
    };
    config.ssl_mode(mode.driver());
    let file = |key, variable| {
        said(key).map(OsString::from).or_else(|| set(env, variable)).map(PathBuf::from)
    };
    let home = set(env, "HOME").map(PathBuf::from);
    let of_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let roots = file("sslrootcert", "PGSSLROOTCERT")
        .or_else(|| of_home(".postgresql/root.crt").filter(|file| file.exists()));
    let (certificate, key) = (file("sslcert", "PGSSLCERT"), file("sslkey", "PGSSLKEY"));
    let place = place(&config, address.is_clear);
    let mut warning = None;
    if config.get_password().is_none() {
        let passfile = file("passfile", "PGPASSFILE").or_else(|| of_home(".pgpass"));
        match passfile.map(|file| password(&file, &config)) {
            Some(Ok(Some(password))) => {
                config.password(password);
            }
            Some(Err(problem)) => warning = Some(problem),
            Some(Ok(None)) | None => {}
        }
    }
    Ok(Target { config, tls: Tls { mode, roots, certificate, key }, place, warning })
}

fn address(
    url: Option<&str>,
    env: Environment<'_>,
) -> Result<(&'static str, Address), ConnectError> {
    let (origin, text) = match (url, set(env, "DATABASE_URL")) {
        (Some(url), _) => ("`--database-url`", OsString::from(url)),
        (None, Some(url)) => ("DATABASE_URL", url),
        (None, None) if NAMING.iter().any(|name| set(env, name).is_some()) => {
            return Ok(("PG*", Address { is_clear: true, ..Address::default() }));
        }
        (None, None) => return Err(ConnectError::unnamed()),
    };
    let text = text.to_str().ok_or(Mistake::Utf8);
    let address =
        text.and_then(split).map_err(|mistake| ConnectError::address(origin, &mistake))?;
    Ok((origin, address))
}

/// A variable that is not empty.
fn set(env: Environment<'_>, name: &str) -> Option<OsString> {
    env(name).filter(|value| !value.is_empty())
}

fn text(env: Environment<'_>, name: &'static str) -> Result<Option<String>, ConnectError> {
    let read = |value: OsString| {
        value.into_string().map_err(|_| ConnectError::variable(name, &Mistake::Utf8))
    };
    set(env, name).map(read).transpose()
}

/// Has the driver take a text.
type Take = fn(&mut Config, &str);

/// Takes from the environment what the address leaves open.
fn fill_in(config: &mut Config, env: Environment<'_>) -> Result<(), ConnectError> {
    let texts: [(&'static str, bool, Take); 5] = [
        ("PGUSER", config.get_user().is_none(), |config, value| {
            config.user(value);
        }),
        ("PGPASSWORD", config.get_password().is_none(), |config, value| {
            config.password(value);
        }),
        ("PGDATABASE", config.get_dbname().is_none(), |config, value| {
            config.dbname(value);
        }),
        ("PGOPTIONS", config.get_options().is_none(), |config, value| {
            config.options(value);
        }),
        ("PGAPPNAME", config.get_application_name().is_none(), |config, value| {
            config.application_name(value);
        }),
    ];
    for (name, open, take) in texts {
        if let (true, Some(value)) = (open, text(env, name)?) {
            take(config, &value);
        }
    }
    if config.get_application_name().is_none() {
        config.application_name("migrate");
    }
    fill_in_host(config, env)?;
    if config.get_connect_timeout().is_none() {
        let limit = number(env, "PGCONNECT_TIMEOUT")?.filter(|seconds| *seconds > 0);
        config.connect_timeout(limit.map_or(CONNECT_LIMIT, std::time::Duration::from_secs));
    }
    Ok(())
}

fn fill_in_host(config: &mut Config, env: Environment<'_>) -> Result<(), ConnectError> {
    if config.get_ports().is_empty()
        && let Some(ports) = text(env, "PGPORT")?
    {
        for port in ports.split(',') {
            let bad = |_| ConnectError::variable("PGPORT", &Mistake::Value("PGPORT"));
            config.port(port.parse().map_err(bad)?);
        }
    }
    if !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty() {
        return Ok(());
    }
    if let Some(hosts) = text(env, "PGHOST")? {
        hosts.split(',').for_each(|host| {
            config.host(host);
        });
    }
    if let Some(addresses) = text(env, "PGHOSTADDR")? {
        for address in addresses.split(',') {
            let bad = |_| ConnectError::variable("PGHOSTADDR", &Mistake::Value("PGHOSTADDR"));
            config.hostaddr(address.parse().map_err(bad)?);
        }
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let socket = format!(".s.PGSQL.{}", port(config));
        let here = SOCKETS.into_iter().find(|folder| Path::new(folder).join(&socket).exists());
        config.host(here.unwrap_or("localhost"));
    }
    Ok(())
}

fn number(env: Environment<'_>, name: &'static str) -> Result<Option<u64>, ConnectError> {
    let bad = |_| ConnectError::variable(name, &Mistake::Value(name));
    text(env, name)?.map(|value| value.parse().map_err(bad)).transpose()
}

fn port(config: &Config) -> u16 {
    config.get_ports().first().copied().unwrap_or(5432)
}

/// The database's name, which is the user's unless something else is said.
fn database(config: &Config) -> Option<&str> {
    config.get_dbname().or_else(|| config.get_user())
}

/// The password that the file holds for any of the hosts, or why the file is not used.
fn password(file: &Path, config: &Config) -> Result<Option<String>, String> {
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        // As libpq: whatever the folder of a usual socket is called.
        Host::Unix(folder) if SOCKETS.iter().any(|usual| folder == Path::new(usual)) => {
            "localhost".to_owned()
        }
        Host::Unix(folder) => folder.to_string_lossy().into_owned(),
    });
    let (Some(user), Some(database)) = (config.get_user(), database(config)) else {
        return Ok(None);
    };
    for host in named.chain(addresses) {
        let wanted = Wanted { host: &host, port: port(config), database, user };
        let found = passfile::password(file, &wanted)
            .map_err(|problem| format!("the password file `{}` {problem}", file.display()))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// What messages may say: nothing where a password with an unescaped `@` reaches into host or
/// database.
fn place(config: &Config, is_clear: bool) -> Place {
    if !is_clear {
        return Place::default();
    }
    let port = port(config);
    let server = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        // An IPv6 address has colons of its own.
        (Some(Host::Tcp(name)), _) if name.contains(':') => Some(format!("[{name}]:{port}")),
        (Some(Host::Tcp(name)), _) => Some(format!("{name}:{port}")),
        (Some(Host::Unix(folder)), _) => {
            Some(format!("the socket in {} for port {port}", folder.display()))
        }
        (None, Some(address)) => Some(SocketAddr::new(*address, port).to_string()),
        (None, None) => None,
    };
    Place { database: database(config).map(str::to_owned), server }
}
