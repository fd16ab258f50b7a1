//! What to connect to: the servers of the settings, and the driver's configuration for each.

use std::env;
use std::ffi::OsString;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, SslMode};

use super::CONNECT_LIMIT;
use super::address::Mistake;
use super::server::{Server, servers};
use super::session::Session;
use super::settings::{EnvFile, Environment, Settings};
use super::tls::{Mode, Tls};
use crate::outcome::ConnectError;

/// What to connect to.
#[derive(Clone)]
pub struct Target {
    /// All but the servers and what is theirs.
    base: Config,
    pub(super) servers: Vec<Server>,
    pub(super) tls: Tls,
    pub(super) session: Session,
    pub(super) order: LoadBalanceHosts,
    /// Per address of a host; `None` is unlimited.
    pub(super) limit: Option<Duration>,
    /// Why the password file is ignored.
    pub warning: Option<String>,
}

pub(super) fn target(
    url: Option<&str>,
    name: &str,
    env: Environment<'_>,
) -> Result<Target, ConnectError> {
    let settings = Settings::read(url, env)?;
    let limit = match settings.parsed("connect_timeout", number::<i32>)? {
        None => Some(CONNECT_LIMIT),
        Some(seconds) => u64::try_from(seconds).ok().filter(|n| *n > 0).map(Duration::from_secs),
    };
    let base = base(&settings, name, limit)?;
    let mut servers = servers(&settings)?;
    let tls = tls(&settings, &servers)?;
    let mut warning = None;
    for server in &mut servers {
        server.complete(&settings, &base).unwrap_or_else(|problem| warning = Some(problem));
    }
    let session = settings.parsed("target_session_attrs", Session::parse)?.unwrap_or_default();
    let order = settings.parsed("load_balance_hosts", |text| match text {
        "disable" => Some(LoadBalanceHosts::Disable),
        "random" => Some(LoadBalanceHosts::Random),
        _ => None,
    })?;
    let order = order.unwrap_or(LoadBalanceHosts::Disable);
    Ok(Target { base, servers, tls, session, order, limit, warning })
}

fn tls(settings: &Settings<'_>, servers: &[Server]) -> Result<Tls, ConnectError> {
    let mut tls = Tls::of(settings)?;
    if servers.iter().all(Server::is_socket) {
        // There is no TLS on a socket, and `sslmode` is ignored (manual, section 34.1.2).
        tls.mode = Mode::Disable;
    }
    let is_named = |server: &Server| server.address.is_none_or(|at| at.to_string() != server.host);
    if tls.mode == Mode::VerifyFull && !servers.iter().all(is_named) {
        return Err(settings.mistake("hostaddr", &Mistake::NoName));
    }
    Ok(tls)
}

fn base(
    settings: &Settings<'_>,
    name: &str,
    limit: Option<Duration>,
) -> Result<Config, ConnectError> {
    let mut config = Config::new();
    let name = settings.get("fallback_application_name").unwrap_or(name);
    config.application_name(settings.get("application_name").unwrap_or(name));
    if let Some(user) = settings.get("user") {
        config.user(user);
    }
    if let Some(password) = settings.get("password") {
        config.password(password);
    }
    if let Some(database) = settings.get("dbname") {
        config.dbname(database);
    }
    if let Some(options) = settings.get("options") {
        config.options(options);
    }
    if let Some(limit) = limit {
        config.connect_timeout(limit);
    }
    let binding = settings.parsed("channel_binding", |text| match text {
        "disable" => Some(ChannelBinding::Disable),
        "prefer" => Some(ChannelBinding::Prefer),
        "require" => Some(ChannelBinding::Require),
        _ => None,
    })?;
    if let Some(binding) = binding {
        config.channel_binding(binding);
    }
    keep_alive(settings, &mut config)?;
    Ok(config)
}

fn keep_alive(settings: &Settings<'_>, config: &mut Config) -> Result<(), ConnectError> {
    if let Some(on) = settings.parsed("keepalives", number::<i32>)? {
        config.keepalives(on != 0);
    }
    if let Some(seconds) = settings.parsed("keepalives_idle", number)? {
        config.keepalives_idle(Duration::from_secs(seconds));
    }
    if let Some(seconds) = settings.parsed("keepalives_interval", number)? {
        config.keepalives_interval(Duration::from_secs(seconds));
    }
    for key in ["keepalives_count", "keepalives_retries"] {
        if let Some(count) = settings.parsed(key, number)? {
            config.keepalives_retries(count);
        }
    }
    if let Some(millis) = settings.parsed("tcp_user_timeout", number)? {
        config.tcp_user_timeout(Duration::from_millis(millis));
    }
    Ok(())
}

pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

impl Target {
    /// The database at `url`, else that of `DATABASE_URL`, else that of libpq's variables; `name` is the default
    /// `application_name`. A variable that the process does not have is read from `file`.
    ///
    /// # Errors
    /// If no database is named, or an address or a setting is not valid.
    pub fn read(
        url: Option<&str>,
        name: &str,
        file: Option<&EnvFile>,
    ) -> Result<Target, ConnectError> {
        // As in libpq, the user's folder is known without HOME.
        let home = || env::home_dir().map(OsString::from);
        let process = |name: &str| match env::var_os(name) {
            None if name == "HOME" => home(),
            found => found,
        };
        target(url, name, Environment { process: &process, file })
    }

    /// The database's name, which defaults to the user's; `None` if it could be part of a password.
    pub fn database(&self) -> Option<&str> {
        self.servers.first().and_then(|server| server.place.database.as_deref())
    }

    /// Another database of the same servers, with the same passwords.
    #[must_use]
    pub fn of_database(mut self, name: &str) -> Target {
        self.base.dbname(name);
        for server in &mut self.servers {
            server.place.database = Some(name.to_owned());
        }
        self
    }

    /// The driver's configuration for one address of a server.
    pub(super) fn config_of(&self, server: &Server, address: Option<IpAddr>) -> Config {
        let mut config = self.base.clone();
        config.host(&server.host).port(server.port);
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(password) = &server.password {
            config.password(password);
        }
        let is_socket = server.is_socket();
        config.ssl_mode(if is_socket { SslMode::Disable } else { self.tls.mode.driver() });
        config
    }

    /// The driver's configuration for all servers.
    ///
    /// # Errors
    /// If the driver has no word for a setting.
    pub fn config(&self) -> Result<Config, ConnectError> {
        let mut config = self.base.clone();
        for server in &self.servers {
            config.host(&server.host).port(server.port);
        }
        let addresses: Option<Vec<IpAddr>> = self.servers.iter().map(|one| one.address).collect();
        for address in addresses.into_iter().flatten() {
            config.hostaddr(address);
        }
        // One password is sent to every host, so it has to be every host's.
        if let [first, others @ ..] = &self.servers[..]
            && let Some(password) = &first.password
            && others.iter().all(|one| one.password.as_ref() == Some(password))
        {
            config.password(password);
        }
        let session = self.session.driver().ok_or_else(ConnectError::session)?;
        config.ssl_mode(self.tls.mode.driver()).target_session_attrs(session);
        config.load_balance_hosts(self.order);
        Ok(config)
    }
}
