//! Combines an address, a service file and the environment as libpq does: the address takes precedence, then
//! the service, then the variables (manual, sections 34.15 and 34.17). The environment is read through a
//! function, so that tests can pass their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::ADDRESS;
use super::address::{Address, Mistake, split};
use super::{options, service};
use crate::outcome::ConnectError;

/// The variables: those of the process, then those of a file.
#[derive(Clone, Copy)]
pub(super) struct Environment<'e> {
    pub(super) process: &'e dyn Fn(&str) -> Option<OsString>,
    pub(super) file: Option<&'e EnvFile>,
}

/// A file of variables, such as `.env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// Its name in messages.
    pub shown: String,
    /// The variables.
    pub variables: BTreeMap<String, String>,
}

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<OsString> {
        (self.process)(name).or_else(|| self.of_file(name).map(|(value, _)| value.into()))
    }

    fn of_file(&self, name: &str) -> Option<(&str, &str)> {
        let file = self.file.filter(|_| (self.process)(name).is_none())?;
        file.variables.get(name).map(|value| (value.as_str(), file.shown.as_str()))
    }

    /// How messages name a variable, with the file that it is from.
    fn shown(&self, name: &str) -> String {
        match self.of_file(name) {
            Some((_, file)) => format!("{name} of the file `{file}`"),
            None => name.to_owned(),
        }
    }
}

/// The variables that name a database; without an address, one of them has to be set.
const NAMING: [&str; 5] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER", "PGSERVICE"];

/// Where a setting is made.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Given,
    /// The variable of the address, as messages name it.
    Database(String),
    Service(String),
    /// A variable, in the same way.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Given => f.write_str("the given address"),
            Origin::Database(name) => write!(f, "the address in {name}"),
            Origin::Service(name) => write!(f, "the service `{name}`"),
            Origin::Variable(name) => write!(f, "the variable {name}"),
        }
    }
}

/// The settings of a connection, by their keywords in libpq.
pub(super) struct Settings<'e> {
    values: BTreeMap<String, (String, Origin)>,
    /// Whether host and database cannot be parts of a password.
    pub(super) is_clear: bool,
    env: Environment<'e>,
}

impl<'e> Settings<'e> {
    /// Of `url`, else of `DATABASE_URL`, with what they leave open.
    pub(super) fn read(url: Option<&str>, env: Environment<'e>) -> Result<Self, ConnectError> {
        let (origin, address) = address(url, env)?;
        let mut settings = Settings { values: BTreeMap::new(), is_clear: address.is_clear, env };
        for (key, value) in address.settings {
            settings.values.insert(key, (value, origin.clone()));
        }
        settings.fill_in("service")?;
        settings.fill_in("servicefile")?;
        settings.add_service()?;
        for (key, _) in options::variables() {
            settings.fill_in(key)?;
        }
        settings.add_required_tls()?;
        for (key, (value, origin)) in &settings.values {
            options::check(key, value)
                .map_err(|mistake| ConnectError::setting(origin, &mistake))?;
        }
        settings.add_session()?;
        Ok(settings)
    }

    /// The value of `key`; an empty one is as none.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|(value, _)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of `key` as `parse` reads it.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConnectError> {
        let Some(text) = self.get(key) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| self.mistake(key, &Mistake::Value(key)))
    }

    /// The error of a mistake in the value of `key`.
    pub(super) fn mistake(&self, key: &str, mistake: &Mistake) -> ConnectError {
        let origin = self.values.get(key).map_or(&Origin::Given, |(_, origin)| origin);
        ConnectError::setting(origin, mistake)
    }

    /// A file in the user's home folder.
    pub(super) fn of_home(&self, path: &str) -> Option<PathBuf> {
        set(self.env, "HOME").map(|home| PathBuf::from(home).join(path))
    }

    /// The file that `key` names, else this one of the home folder if it exists.
    pub(super) fn file(&self, key: &str, usual: &str) -> Option<PathBuf> {
        let usual = || self.of_home(usual).filter(|file| file.exists());
        self.get(key).map(PathBuf::from).or_else(usual)
    }

    /// Takes `key` from its variable if it is not set.
    fn fill_in(&mut self, key: &'static str) -> Result<(), ConnectError> {
        let variable = options::variables().find(|(known, _)| *known == key);
        if let (false, Some((_, variable))) = (self.values.contains_key(key), variable)
            && let Some(value) = text(self.env, variable)?
        {
            let origin = Origin::Variable(self.env.shown(variable));
            self.values.insert(key.to_owned(), (value, origin));
        }
        Ok(())
    }

    fn add_service(&mut self) -> Result<(), ConnectError> {
        let Some(name) = self.get("service").map(str::to_owned) else { return Ok(()) };
        let own = self.get("servicefile").map(PathBuf::from);
        let own = own.or_else(|| self.of_home(".pg_service.conf"));
        let system = set(self.env, "PGSYSCONFDIR");
        let system = system.map(|folder| PathBuf::from(folder).join("pg_service.conf"));
        // In an address that is not clear, the name could be part of a password.
        let origin = if self.is_clear { Origin::Service(name.clone()) } else { Origin::Given };
        for file in own.into_iter().chain(system) {
            let found = service::settings(&file, &name)
                .map_err(|mistake| ConnectError::setting(&origin, &mistake))?;
            if let Some(found) = found {
                for (key, value) in found {
                    self.values.entry(key).or_insert_with(|| (value, origin.clone()));
                }
                return Ok(());
            }
        }
        Err(self.mistake("service", &Mistake::Service))
    }

    /// The variable that was the predecessor of `PGSSLMODE`.
    fn add_required_tls(&mut self) -> Result<(), ConnectError> {
        let name = "PGREQUIRESSL";
        if text(self.env, name)?.is_some_and(|value| value.starts_with('1')) {
            let value = ("require".to_owned(), Origin::Variable(self.env.shown(name)));
            self.values.entry("sslmode".to_owned()).or_insert(value);
        }
        Ok(())
    }

    /// The variables that set a parameter of the session, as options of the server.
    fn add_session(&mut self) -> Result<(), ConnectError> {
        for (variable, parameter) in options::SESSION {
            let Some(value) = text(self.env, variable)?.filter(|value| !value.is_empty()) else {
                continue;
            };
            let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
            let origin = || (String::new(), Origin::Variable(self.env.shown(variable)));
            let (options, _) = self.values.entry("options".to_owned()).or_insert_with(origin);
            options.extend([" -c ", parameter, "=", &value]);
        }
        Ok(())
    }
}

fn address(url: Option<&str>, env: Environment<'_>) -> Result<(Origin, Address), ConnectError> {
    let (origin, text) = match (url, set(env, ADDRESS)) {
        (Some(url), _) => (Origin::Given, OsString::from(url)),
        (None, Some(url)) => (Origin::Database(env.shown(ADDRESS)), url),
        (None, None) if NAMING.iter().any(|name| set(env, name).is_some()) => {
            return Ok((Origin::Given, Address { is_clear: true, ..Address::default() }));
        }
        (None, None) => return Err(ConnectError::unnamed()),
    };
    let address = text.to_str().ok_or(Mistake::Utf8).and_then(split);
    let address = address.map_err(|mistake| ConnectError::setting(&origin, &mistake))?;
    Ok((origin, address))
}

/// A variable that is not empty.
fn set(env: Environment<'_>, name: &str) -> Option<OsString> {
    env.get(name).filter(|value| !value.is_empty())
}

fn text(env: Environment<'_>, name: &'static str) -> Result<Option<String>, ConnectError> {
    let read = |value: OsString| {
        let not_text =
            |_| ConnectError::setting(&Origin::Variable(env.shown(name)), &Mistake::Utf8);
        value.into_string().map_err(not_text)
    };
    env.get(name).map(read).transpose()
}
