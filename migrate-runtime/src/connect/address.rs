//! Splits an address, a `postgresql://` URI or a list of `key=value` (manual, section 34.1), into settings by
//! their keywords. Errors contain no value, because any value may be a password.

use percent_encoding::percent_decode_str;
use thiserror::Error;

use super::options::is_known;

/// A split address.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Address {
    /// In the order in which they are written; of a repeated one, the last counts.
    pub(super) settings: Vec<(String, String)>,
    /// Whether host and database cannot be parts of a password.
    pub(super) is_clear: bool,
}

/// Why an address or a setting cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Mistake {
    #[error("it is neither `postgresql://...` nor a list like `host=db.example dbname=app`")]
    Form,
    #[error("it is not valid UTF-8")]
    Utf8,
    #[error("a quoted value is not terminated, or a key has no `=` after it")]
    List,
    #[error("its option `{0}` is unknown")]
    Unknown(String),
    #[error("it has an unknown option")]
    Hidden,
    #[error("the value of `{0}` is not valid")]
    Value(&'static str),
    #[error("`{0}` has a value that is not supported: {1}")]
    Unsupported(&'static str, &'static str),
    #[error("`sslrootcert=system` is for `sslmode=verify-full` only")]
    WeakSystem,
    #[error("`sslmode=verify-full` verifies a name, and there is no `host`, only a `hostaddr`")]
    NoName,
    #[error("no service file has this service")]
    Service,
    #[error("it has {0} hosts, and another number of values of `{1}`")]
    Count(usize, &'static str),
    #[error("it cannot be parsed; in a password, write `@`, `/` and `%` as `%40`, `%2F` and `%25`")]
    Uri,
}

/// How sqlx spells options in a URI that a service uses for both, and libpq's keyword; `None` for what only concerns
/// sqlx.
const OF_SQLX: [(&str, Option<&str>); 6] = [
    ("ssl-mode", Some("sslmode")),
    ("ssl-root-cert", Some("sslrootcert")),
    ("ssl-ca", Some("sslrootcert")),
    ("ssl-cert", Some("sslcert")),
    ("ssl-key", Some("sslkey")),
    ("statement-cache-capacity", None),
];

/// Splits `text`.
pub(super) fn split(text: &str) -> Result<Address, Mistake> {
    let text = text.trim();
    let after = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"));
    if let Some(after) = after {
        uri(after)
    } else if text.split_once('=').is_some_and(|(key, _)| is_key(key.trim())) {
        list(text)
    } else {
        Err(Mistake::Form)
    }
}

/// `user:password@host:port,host:port/database?key=value&key=value`, each part optional.
fn uri(text: &str) -> Result<Address, Mistake> {
    let is_clear = text.matches('@').count() < 2;
    let mut address = Address { settings: Vec::new(), is_clear };
    // As libpq: there is a user if an `@` is before the first `/`.
    let mut rest = text;
    let slash = text.find('/').unwrap_or(text.len());
    if let Some(at) = text[..slash].find('@') {
        let (user, password) = text[..at].split_once(':').unwrap_or((&text[..at], ""));
        address.push_decoded("user", user)?;
        address.push_decoded("password", password)?;
        rest = &text[at + 1..];
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    let hosts = hosts.split(',').map(host_and_port).collect::<Result<Vec<_>, _>>()?;
    let (names, ports): (Vec<&str>, Vec<&str>) = hosts.into_iter().unzip();
    address.push_decoded("host", &names.join(","))?;
    // An unescaped `/` in a password makes part of it a port.
    if ports.iter().any(|port| port.contains(|c: char| !c.is_ascii_digit())) {
        return Err(Mistake::Uri);
    }
    if ports.iter().any(|port| !port.is_empty()) {
        address.push_decoded("port", &ports.join(","))?;
    }
    address.push_decoded("dbname", database)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(Mistake::Uri)?;
        match OF_SQLX.iter().find(|(name, _)| *name == key) {
            Some((_, Some(key))) => address.take(key, decoded(value)?)?,
            Some((_, None)) => {}
            // As the JDBC driver spells it.
            None if (key, value) == ("ssl", "true") => {
                address.take("sslmode", "require".to_owned())?;
            }
            None => address.take(key, decoded(value)?)?,
        }
    }
    Ok(address)
}

/// `name`, `name:port`, `[::1]` or `[::1]:port`.
fn host_and_port(text: &str) -> Result<(&str, &str), Mistake> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    match inner.split_once(']').ok_or(Mistake::Uri)? {
        (name, "") => Ok((name, "")),
        (name, port) => Ok((name, port.strip_prefix(':').ok_or(Mistake::Uri)?)),
    }
}

fn decoded(text: &str) -> Result<String, Mistake> {
    let is_escape = |after: &str| {
        after.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if text.split('%').skip(1).any(|after| !is_escape(after) || after.starts_with("00")) {
        return Err(Mistake::Uri);
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| Mistake::Utf8)?;
    Ok(text.into_owned())
}

fn list(text: &str) -> Result<Address, Mistake> {
    // A password with a space in it reads as further keys, so unknown ones are not named.
    let mut address = Address { is_clear: true, ..Address::default() };
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(Mistake::List)?;
        let key = key.trim();
        if !is_key(key) {
            return Err(Mistake::List);
        }
        let (value, after) = value(after.trim_start())?;
        rest = after.trim_start();
        address.take(key, value).map_err(|_| Mistake::Hidden)?;
    }
    Ok(address)
}

/// One value of a list, and the text after it.
fn value(text: &str) -> Result<(String, &str), Mistake> {
    let quoted = text.strip_prefix('\'');
    let body = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted.is_some() => return Ok((value, &body[at + 1..])),
            c if quoted.is_none() && c.is_whitespace() => return Ok((value, &body[at..])),
            c => value.push(c),
        }
    }
    if quoted.is_some() { Err(Mistake::List) } else { Ok((value, "")) }
}

impl Address {
    fn push_decoded(&mut self, key: &str, value: &str) -> Result<(), Mistake> {
        if !value.is_empty() {
            self.settings.push((key.to_owned(), decoded(value)?));
        }
        Ok(())
    }

    fn take(&mut self, key: &str, value: String) -> Result<(), Mistake> {
        if is_known(key) {
            self.settings.push((key.to_owned(), value));
            Ok(())
        } else if self.is_clear && is_key(key) {
            Err(Mistake::Unknown(key.to_owned()))
        } else {
            Err(Mistake::Hidden)
        }
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let address = split(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        let found: Vec<(&str, &str)> =
            address.settings.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn addresses_are_split() {
        check(
            "postgres://u:p@h:5433/d",
            &[("user", "u"), ("password", "p"), ("host", "h"), ("port", "5433"), ("dbname", "d")],
        );
        check(
            " postgresql://h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem ",
            &[
                ("host", "h"),
                ("dbname", "d"),
                ("sslmode", "verify-full"),
                ("connect_timeout", "3"),
                ("sslrootcert", "/etc/ca.pem"),
            ],
        );
        check("postgresql://h?ssl=true", &[("host", "h"), ("sslmode", "require")]);
        check(
            "postgresql://h?ssl-mode=verify-full&statement-cache-capacity=0&ssl-ca=ca.pem",
            &[("host", "h"), ("sslmode", "verify-full"), ("sslrootcert", "ca.pem")],
        );
        check(
            "postgresql://u:p?q=1@h/d",
            &[("user", "u"), ("password", "p?q=1"), ("host", "h"), ("dbname", "d")],
        );
        check("postgresql://a:1,[::1]:2,c", &[("host", "a,::1,c"), ("port", "1,2,")]);
        check("postgresql://%2Frun%2Fpg", &[("host", "/run/pg")]);
        check("postgresql:///d?host=/run/pg", &[("dbname", "d"), ("host", "/run/pg")]);
        check("postgresql://", &[]);
    }

    #[test]
    fn lists_are_split() {
        check("host=h dbname = app", &[("host", "h"), ("dbname", "app")]);
        check(
            r"host=/run/pg password='it\'s \\ me' sslmode=require",
            &[("host", "/run/pg"), ("password", r"it's \ me"), ("sslmode", "require")],
        );
        check(r"password=a\ b passfile=''", &[("password", "a b"), ("passfile", "")]);
    }

    #[test]
    fn mistakes_contain_no_value() {
        #[track_caller]
        fn check(text: &str, expected: Mistake) {
            assert_eq!(split(text).err(), Some(expected), "{text}");
        }
        check("", Mistake::Form);
        check("db.example", Mistake::Form);
        check("mysql://u:p@h/d", Mistake::Form);
        check("postgresql://h/d?schema=app", Mistake::Unknown("schema".to_owned()));
        check("postgresql://u:a@b?secret=1@h/d", Mistake::Hidden);
        check("postgresql://u:a@b?secret@h/d", Mistake::Uri);
        check("postgresql://u:100%@h/d", Mistake::Uri);
        check("postgresql://h/d%00", Mistake::Uri);
        check("postgresql://me:sec/ret@h/d", Mistake::Uri);
        check("postgresql://h/d?sslrootcert=%ff", Mistake::Utf8);
        check("host=h password=my secret=1", Mistake::Hidden);
        check("host=h password=my secret", Mistake::List);
        check("host=h password='my secret", Mistake::List);
    }
}
