//! Combines an address and the environment as libpq does: the address takes precedence, the variables
//! fill in the rest (manual, section 34.15). The environment is read through a function, so that
//! tests can pass their own.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::address::{Address, Mistake, split};
use super::error::ConnectError;
use super::passfile;
use super::tls::{Mode, Tls};
use super::{ADDRESS, CONNECT_LIMIT};

/// Reads a variable of the environment.
type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// What to connect to.
pub(crate) struct Target {
    pub(super) config: Config,
    pub(super) tls: Tls,
    pub(crate) place: Place,
    /// Why the password file is ignored.
    pub(crate) warning: Option<String>,
}

/// How messages name a database, without a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) database: Option<String>,
    pub(crate) server: Option<String>,
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

/// The variables that name a database; without an address, one of them has to be set.
const NAMING: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER"];

/// Where servers have their sockets: the packages' default, then PostgreSQL's own.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// `name` is the default `application_name`.
pub(super) fn target(
    url: Option<&str>,
    name: &str,
    env: Environment<'_>,
) -> Result<Target, ConnectError> {
    let (origin, address) = address(url, env)?;
    let mut config: Config = if address.driver.is_empty() {
        Config::new()
    } else {
        let unreadable = |_| ConnectError::address(origin, &Mistake::Driver);
        address.driver.parse().map_err(unreadable)?
    };
    fill_in(&mut config, name, env)?;
    let settings = Settings { origin, address: &address, env };
    let tls = settings.tls()?;
    config.ssl_mode(if is_local(&config) { SslMode::Disable } else { tls.mode.driver() });
    let place = place(&config, address.is_clear);
    let mut warning = None;
    if config.get_password().is_none() {
        let file = settings.file("passfile", "PGPASSFILE").or_else(|| settings.of_home(".pgpass"));
        match file.map(|file| password(&file, &config)) {
            Some(Ok(Some(password))) => {
                config.password(password);
            }
            Some(Err(problem)) => warning = Some(problem),
            Some(Ok(None)) | None => {}
        }
    }
    Ok(Target { config, tls, place, warning })
}

/// The settings of TLS and of files: from the address, else from a variable.
struct Settings<'s> {
    origin: &'static str,
    address: &'s Address,
    env: Environment<'s>,
}

impl Settings<'_> {
    fn by_address(&self, key: &str) -> Option<&str> {
        // If a key is repeated, its last value counts.
        let mut all = self.address.settings.iter().rev();
        all.find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn file(&self, key: &str, variable: &str) -> Option<PathBuf> {
        let by_address = self.by_address(key).map(OsString::from);
        by_address.or_else(|| set(self.env, variable)).map(PathBuf::from)
    }

    fn of_home(&self, path: &str) -> Option<PathBuf> {
        set(self.env, "HOME").map(|home| PathBuf::from(home).join(path))
    }

    fn tls(&self) -> Result<Tls, ConnectError> {
        let variable = "PGSSLMODE";
        let mode =
            match (self.by_address("sslmode"), text(self.env, variable)?) {
                (Some(mode), _) => Mode::parse(mode)
                    .map_err(|mistake| ConnectError::address(self.origin, &mistake))?,
                (None, Some(mode)) => Mode::parse(&mode)
                    .map_err(|mistake| ConnectError::variable(variable, &mistake))?,
                (None, None) => Mode::default(),
            };
        let default = || self.of_home(".postgresql/root.crt").filter(|file| file.exists());
        Ok(Tls {
            mode,
            roots: self.file("sslrootcert", "PGSSLROOTCERT").or_else(default),
            certificate: self.file("sslcert", "PGSSLCERT"),
            key: self.file("sslkey", "PGSSLKEY"),
        })
    }
}

fn address(
    url: Option<&str>,
    env: Environment<'_>,
) -> Result<(&'static str, Address), ConnectError> {
    let (origin, text) = match (url, set(env, ADDRESS)) {
        (Some(url), _) => ("the given address", OsString::from(url)),
        (None, Some(url)) => ("the address in DATABASE_URL", url),
        (None, None) if NAMING.iter().any(|name| set(env, name).is_some()) => {
            return Ok(("the address", Address { is_clear: true, ..Address::default() }));
        }
        (None, None) => {
            let help = "set DATABASE_URL, or PGHOST and PGDATABASE, or pass `--database-url`";
            return Err(ConnectError::usage("no database is named", help));
        }
    };
    let text = text.to_str().ok_or(Mistake::Utf8);
    let address =
        text.and_then(split).map_err(|mistake| ConnectError::address(origin, &mistake))?;
    Ok((origin, address))
}

/// Whether every host is a Unix socket, where there is no TLS and `sslmode` is ignored (manual, section
/// 34.1.2).
fn is_local(config: &Config) -> bool {
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_socket)
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

/// Sets a text of the driver's configuration.
type Set = for<'c> fn(&'c mut Config, &str) -> &'c mut Config;

/// Fills in from the environment what the address leaves open.
fn fill_in(config: &mut Config, name: &str, env: Environment<'_>) -> Result<(), ConnectError> {
    let texts: [(&'static str, bool, Set); 5] = [
        ("PGUSER", config.get_user().is_none(), |config, value| config.user(value)),
        ("PGPASSWORD", config.get_password().is_none(), |config, value| config.password(value)),
        ("PGDATABASE", config.get_dbname().is_none(), |config, value| config.dbname(value)),
        ("PGOPTIONS", config.get_options().is_none(), |config, value| config.options(value)),
        ("PGAPPNAME", config.get_application_name().is_none(), |config, value| {
            config.application_name(value)
        }),
    ];
    for (variable, open, set) in texts {
        if let (true, Some(value)) = (open, text(env, variable)?) {
            set(config, &value);
        }
    }
    if config.get_application_name().is_none() {
        config.application_name(name);
    }
    fill_in_host(config, env)?;
    if config.get_connect_timeout().is_none() {
        let name = "PGCONNECT_TIMEOUT";
        let limit = text(env, name)?.map(|value| parse(name, &value)).transpose()?;
        let limit = limit.filter(|seconds| *seconds > 0);
        config.connect_timeout(limit.map_or(CONNECT_LIMIT, Duration::from_secs));
    }
    Ok(())
}

fn fill_in_host(config: &mut Config, env: Environment<'_>) -> Result<(), ConnectError> {
    if config.get_ports().is_empty() {
        for port in values(env, "PGPORT")? {
            config.port(port);
        }
    }
    if !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty() {
        return Ok(());
    }
    for host in values::<String>(env, "PGHOST")? {
        config.host(host);
    }
    for address in values(env, "PGHOSTADDR")? {
        config.hostaddr(address);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let socket = format!(".s.PGSQL.{}", port(config));
        let here = SOCKETS.into_iter().find(|folder| Path::new(folder).join(&socket).exists());
        config.host(here.unwrap_or("localhost"));
    }
    Ok(())
}

/// The values of a variable, with commas between them; none if it is not set.
fn values<T: FromStr>(env: Environment<'_>, name: &'static str) -> Result<Vec<T>, ConnectError> {
    let text = text(env, name)?;
    text.iter().flat_map(|text| text.split(',')).map(|value| parse(name, value)).collect()
}

fn parse<T: FromStr>(name: &'static str, value: &str) -> Result<T, ConnectError> {
    value.parse().map_err(|_| ConnectError::variable(name, &Mistake::Value(name)))
}

fn port(config: &Config) -> u16 {
    config.get_ports().first().copied().unwrap_or(5432)
}

/// The database's name, which defaults to the user's.
fn database(config: &Config) -> Option<&str> {
    config.get_dbname().or_else(|| config.get_user())
}

/// The password in the file for any of the hosts, or why the file is ignored.
fn password(file: &Path, config: &Config) -> Result<Option<String>, String> {
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        // As in libpq: a socket in a default folder is `localhost`.
        Host::Unix(folder) if SOCKETS.iter().any(|default| folder == Path::new(default)) => {
            "localhost".to_owned()
        }
        Host::Unix(folder) => folder.to_string_lossy().into_owned(),
    });
    let (Some(user), Some(database)) = (config.get_user(), database(config)) else {
        return Ok(None);
    };
    let port = port(config).to_string();
    for host in named.chain(addresses) {
        let found = passfile::password(file, [&host, &port, database, user])
            .map_err(|problem| format!("the password file `{}` {problem}", file.display()))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// What messages may show: nothing if a password with an unescaped `@` may reach into host or
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

#[cfg(test)]
mod tests {
    use super::*;

    fn target_of(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Target, ConnectError> {
        let env = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        target(url, "migrate", &env)
    }

    #[track_caller]
    fn check(url: Option<&str>, variables: &[(&str, &str)], expected: &str) {
        let target = target_of(url, variables).unwrap_or_else(|error| panic!("{error}"));
        let config = &target.config;
        let password = config.get_password().map(String::from_utf8_lossy);
        let found = format!(
            "{} user={} password={} app={} sslmode={:?}",
            target.place,
            config.get_user().unwrap_or("-"),
            password.as_deref().unwrap_or("-"),
            config.get_application_name().unwrap_or("-"),
            target.tls.mode,
        );
        assert_eq!(found, expected, "{url:?} {variables:?}");
    }

    #[test]
    fn the_address_wins_and_variables_fill_in() {
        check(
            Some("postgresql://me:pw@h:5433/app?sslmode=disable&application_name=mine"),
            &[("DATABASE_URL", "host=x"), ("PGUSER", "you"), ("PGSSLMODE", "require")],
            "`app` on h:5433 user=me password=pw app=mine sslmode=Disable",
        );
        check(
            None,
            &[("DATABASE_URL", "host=h"), ("PGUSER", "me"), ("PGPASSWORD", "pw"), ("PGPORT", "1")],
            "`me` on h:1 user=me password=pw app=migrate sslmode=Prefer",
        );
        let variables = [
            ("PGHOST", "/run/pg"),
            ("PGDATABASE", "app"),
            ("PGUSER", "me"),
            ("PGAPPNAME", "deploy"),
            ("PGSSLMODE", "verify-full"),
        ];
        let expected = "`app` on the socket in /run/pg for port 5432 user=me password=- app=deploy \
                        sslmode=VerifyFull";
        check(None, &variables, expected);
        check(
            None,
            &[("PGHOSTADDR", "::1"), ("PGDATABASE", "app"), ("DATABASE_URL", "")],
            "`app` on [::1]:5432 user=- password=- app=migrate sslmode=Prefer",
        );
    }

    #[test]
    fn no_tls_is_asked_for_on_a_socket() {
        #[track_caller]
        fn check(url: &str, expected: SslMode) {
            let target = target_of(Some(url), &[("PGSSLMODE", "require")]).expect("a target");
            assert_eq!(target.config.get_ssl_mode(), expected, "{url}");
        }
        check("host=/run/pg", SslMode::Disable);
        check("postgresql://me@%2Frun%2Fpg/app?sslmode=verify-full", SslMode::Disable);
        check("host=db.example", SslMode::Require);
        check("host=/run/pg,db.example", SslMode::Require);
        check("hostaddr=127.0.0.1", SslMode::Require);
    }

    #[test]
    fn several_hosts_are_several() {
        let target = target_of(Some("postgresql://me@a:1,b:2/app"), &[]).expect("a target");
        assert_eq!(target.config.get_hosts().len(), 2);
        assert_eq!(target.config.get_ports(), [1, 2]);
        let variables = [("PGHOST", "a,b"), ("PGPORT", "1,2"), ("PGUSER", "me")];
        let target = target_of(None, &variables).expect("a target");
        assert_eq!(target.config.get_hosts().len(), 2);
        assert_eq!(target.config.get_ports(), [1, 2]);
    }

    #[test]
    fn places_hold_no_piece_of_a_password() {
        for url in ["postgresql://me:sec@ret@h/app", "postgresql://me:sec@h/ret@h/app"] {
            let target = target_of(Some(url), &[]).expect("a target");
            assert_eq!(target.place.to_string(), "the database", "{url}");
        }
    }

    #[test]
    fn without_a_name_there_is_no_database() {
        for variables in [&[][..], &[("PGPASSWORD", "x"), ("PGSSLMODE", "require")][..]] {
            let error = target_of(None, variables).err().expect("an error");
            assert!(error.is_usage());
            assert!(error.to_string().starts_with("no database is named\nhelp: "), "{error}");
        }
    }
}
