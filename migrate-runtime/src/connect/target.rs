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

fn target(url: Option<&str>, name: &str, env: Environment<'_>) -> Result<Target, ConnectError> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::options;
    use super::*;

    fn target_of(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Target, ConnectError> {
        let env = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        target(url, "migrate", Environment { process: &env, file: None })
    }

    #[track_caller]
    fn check(url: Option<&str>, variables: &[(&str, &str)], expected: &str) {
        let target = target_of(url, variables).unwrap_or_else(|error| panic!("{error}"));
        let config = target.config().unwrap_or_else(|error| panic!("{error}"));
        let password = config.get_password().map(String::from_utf8_lossy);
        let found = format!(
            "{} user={} password={} app={} options={} tls={:?}",
            target.servers[0].place,
            config.get_user().unwrap_or("-"),
            password.as_deref().unwrap_or("-"),
            config.get_application_name().unwrap_or("-"),
            config.get_options().unwrap_or("-"),
            target.tls.mode,
        );
        assert_eq!(found, expected, "{url:?} {variables:?}");
    }

    #[test]
    fn the_address_wins_and_variables_fill_in() {
        check(
            Some("postgresql://me:pw@h:5433/app?sslmode=disable&application_name=mine"),
            &[("DATABASE_URL", "host=x"), ("PGUSER", "you"), ("PGSSLMODE", "require")],
            "`app` on h:5433 user=me password=pw app=mine options=- tls=Disable",
        );
        check(
            None,
            &[("DATABASE_URL", "host=h"), ("PGUSER", "me"), ("PGPASSWORD", "pw"), ("PGPORT", "1")],
            "`me` on h:1 user=me password=pw app=migrate options=- tls=Prefer",
        );
        let variables = [
            ("PGHOST", "/run/pg"),
            ("PGDATABASE", "app"),
            ("PGUSER", "me"),
            ("PGAPPNAME", "deploy"),
            ("PGSSLMODE", "verify-full"),
            ("PGOPTIONS", "-c geqo=off"),
            ("PGTZ", r"Etc/GMT +1\"),
        ];
        let expected = r"`app` on the socket in /run/pg for port 5432 user=me password=- app=deploy options=-c geqo=off -c timezone=Etc/GMT\ +1\\ tls=Disable";
        check(None, &variables, expected);
        check(
            None,
            &[("PGHOSTADDR", "::1"), ("PGDATABASE", "app"), ("DATABASE_URL", "")],
            "`app` on [::1]:5432 user=- password=- app=migrate options=- tls=Prefer",
        );
        check(
            Some("host=h user=me sslrootcert=system fallback_application_name=f"),
            &[("PGREQUIRESSL", "0")],
            "`me` on h:5432 user=me password=- app=f options=- tls=VerifyFull",
        );
        check(
            Some("host=h user=me"),
            &[("PGREQUIRESSL", "1")],
            "`me` on h:5432 user=me password=- app=migrate options=- tls=Require",
        );
    }

    #[test]
    fn a_service_is_between_the_address_and_the_variables() {
        let folder = std::env::temp_dir().join(format!("migrate-service-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("pg_service.conf");
        fs::write(&file, "[shop]\nhost=h\nuser=me\ndbname=shop\nsslmode=require\n")
            .expect("a file");
        let (folder, file) = (folder.to_string_lossy(), file.to_string_lossy());
        let expected = "`shop` on h:5432 user=me password=- app=migrate options=- tls=Require";
        let both = [("PGSERVICE", "shop"), ("PGSERVICEFILE", &*file), ("PGSSLMODE", "disable")];
        check(None, &both, expected);
        check(Some("service=shop"), &[("PGSYSCONFDIR", &*folder), ("PGUSER", "you")], expected);
        let mine = expected.replace("tls=Require", "tls=Disable");
        check(Some("service=shop sslmode=disable"), &[("PGSERVICEFILE", &*file)], &mine);
        let error = target_of(None, &[("PGSERVICE", "shop")]).err().expect("no such service");
        assert!(error.to_string().contains("no service file has this service"), "{error}");
        fs::remove_dir_all(&*folder).expect("a folder");
    }

    #[test]
    fn no_tls_is_requested_on_a_socket() {
        #[track_caller]
        fn check(url: &str, expected: &[SslMode]) {
            let variables = [("PGSSLMODE", "require")];
            let target = target_of(Some(url), &variables).unwrap_or_else(|error| panic!("{error}"));
            let found = target.servers.iter().map(|one| target.config_of(one, None).get_ssl_mode());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{url}");
        }
        check("host=/run/pg", &[SslMode::Disable]);
        check("postgresql://me@%2Frun%2Fpg/app?sslmode=verify-full", &[SslMode::Disable]);
        check("host=db.example", &[SslMode::Require]);
        check("host=/run/pg,db.example", &[SslMode::Disable, SslMode::Require]);
        check("hostaddr=127.0.0.1", &[SslMode::Require]);
    }

    #[test]
    fn several_hosts_are_several() {
        for variables in [&[][..], &[("PGHOST", "a,b"), ("PGPORT", "1,2"), ("PGUSER", "me")][..]] {
            let url = variables.is_empty().then_some("postgresql://me@a:1,b:2/app");
            let target = target_of(url, variables).unwrap_or_else(|error| panic!("{error}"));
            let places: Vec<_> = target.servers.iter().map(|one| &one.place.server).collect();
            assert_eq!(places, [&Some("a:1".to_owned()), &Some("b:2".to_owned())]);
        }
    }

    #[test]
    fn a_password_of_the_file_is_sent_to_its_own_host_only() {
        let file = std::env::temp_dir().join(format!("migrate-passfile-{}", std::process::id()));
        fs::write(&file, "a:*:*:me:of_a\nb:*:*:me:of_b\n").expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
        }
        let passwords = |hosts: &str| {
            let url = format!("host={hosts} user=me passfile={}", file.display());
            let target = target_of(Some(&url), &[]).unwrap_or_else(|error| panic!("{error}"));
            let of = |config: Config| {
                config.get_password().map(|own| String::from_utf8_lossy(own).into_owned())
            };
            let each = target.servers.iter().map(|one| of(target.config_of(one, None)));
            let shared = target.config().unwrap_or_else(|error| panic!("{error}"));
            (each.map(Option::unwrap_or_default).collect::<Vec<_>>().join(","), of(shared))
        };
        assert_eq!(passwords("c,b,a"), (",of_b,of_a".to_owned(), None));
        assert_eq!(passwords("b,b"), ("of_b,of_b".to_owned(), Some("of_b".to_owned())));
        fs::remove_file(&file).expect("a file");
    }

    #[test]
    fn places_hold_no_piece_of_a_password() {
        for url in ["postgresql://me:sec@ret@h/app", "postgresql://me:sec@h/ret@h/app"] {
            let target = target_of(Some(url), &[]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(target.servers[0].place.to_string(), "the database", "{url}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        #[track_caller]
        fn check(url: Option<&str>, variables: &[(&str, &str)], expected: &str) {
            let error = target_of(url, variables).err().expect("an error");
            assert!(error.is_usage(), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        check(None, &[], "no database is named\nhelp: ");
        check(None, &[("PGPASSWORD", "x"), ("PGSSLMODE", "require")], "no database is named");
        let own = |key: &str, value: &str| format!("host=h {key}={value}");
        check(Some(&own("gssencmode", "require")), &[], "`gssencmode` has a value that is not");
        for (variable, value) in [
            ("PGGSSENCMODE", "require"),
            ("PGREQUIREAUTH", "scram-sha-256"),
            ("PGREQUIREPEER", "postgres"),
            ("PGSSLCRLDIR", "/etc/crl"),
            ("PGSSLCERTMODE", "require"),
            ("PGSSLNEGOTIATION", "direct"),
            ("PGCLIENTENCODING", "LATIN1"),
            ("PGCHANNELBINDING", "always"),
            ("PGSSLMODE", "on"),
            ("PGSSLMINPROTOCOLVERSION", "TLSv2"),
            ("PGSSLMAXPROTOCOLVERSION", "TLSv1.1"),
            ("PGTARGETSESSIONATTRS", "master"),
            ("PGLOADBALANCEHOSTS", "yes"),
            ("PGCONNECT_TIMEOUT", "soon"),
            ("PGPORT", "0"),
            ("PGHOSTADDR", "h"),
            ("PGMINPROTOCOLVERSION", "3.2"),
        ] {
            let expected = format!("the variable {variable} cannot be used: ");
            check(Some("postgresql://"), &[(variable, value)], &expected);
            // An option of the address takes precedence, so the variable does not matter.
            let key = options::variables().find(|(_, known)| *known == variable);
            let (key, _) = key.expect("a keyword");
            let empty = target_of(Some(&own(key, "''")), &[(variable, value)]);
            let may_be_empty = options::check(key, "").is_ok();
            assert_eq!(empty.is_ok(), may_be_empty, "{key}");
            let empty = target_of(Some("host=h"), &[(variable, "")]);
            assert_eq!(empty.is_ok(), may_be_empty, "{variable}");
        }
        let range = "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2";
        check(Some(&format!("host=h {range}")), &[], "the value of `ssl_min_protocol_version`");
        for weak in ["disable", "prefer", "require", "verify-ca"] {
            let url = format!("host=h sslrootcert=system sslmode={weak}");
            check(Some(&url), &[], "`sslrootcert=system` is for `sslmode=verify-full` only");
        }
        check(Some("hostaddr=127.0.0.1 sslmode=verify-full"), &[], "there is no `host`");
        check(Some("host=a,b hostaddr=127.0.0.1"), &[], "2 hosts, and another number");
        check(Some("host=a,b,c port=1,2"), &[], "3 hosts, and another number");
    }
}
