//! Splits an address, a `postgresql://` URI or a list of `key=value` (manual, section 34.1), into the
//! part that the driver reads and the TLS and password settings of libpq that it does not know.
//! Errors contain no value, because any value may be a password.

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// A split address.
#[derive(PartialEq, Eq, Default)]
pub(super) struct Address {
    /// The part that the driver reads.
    pub(super) driver: String,
    /// The settings that the driver does not know, by their names in libpq.
    pub(super) settings: Vec<(String, String)>,
    /// Whether host and database cannot be parts of a password.
    pub(super) is_clear: bool,
}

/// Why an address cannot be read.
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
    #[error(
        "the driver cannot parse it; in a password, write `@`, `/` and `%` as `%40`, `%2F` and `%25`"
    )]
    Driver,
}

/// Settings that this module reads and the driver does not.
const OURS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"];

/// Settings of libpq that have no effect here.
const IGNORED: [&str; 6] = [
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "krbsrvname",
    "sslcompression",
    "sslsni",
];

/// Settings that the driver reads.
const DRIVER: [&str; 18] = [
    "application_name", "channel_binding", "connect_timeout", "dbname", "host", "hostaddr",
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_retries",
    "load_balance_hosts", "options", "password", "port", "sslnegotiation", "target_session_attrs",
    "tcp_user_timeout", "user",
];

/// Splits `text`.
pub(super) fn split(text: &str) -> Result<Address, Mistake> {
    let text = text.trim();
    if text.starts_with("postgresql://") || text.starts_with("postgres://") {
        uri(text)
    } else if text.split_once('=').is_some_and(|(key, _)| is_key(key.trim())) {
        list(text)
    } else {
        Err(Mistake::Form)
    }
}

fn uri(text: &str) -> Result<Address, Mistake> {
    // As the driver parses it: user and password are before the first `@`.
    let host = text.find('@').map_or(0, |at| at + 1);
    let (place, query) = match text[host..].find('?') {
        Some(length) => (&text[..host + length], &text[host + length + 1..]),
        None => (text, ""),
    };
    let is_clear = text.matches('@').count() < 2;
    let mut address = Address { driver: String::new(), settings: Vec::new(), is_clear };
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = percent_decode_str(value).decode_utf8().map_err(|_| Mistake::Utf8)?;
        match key {
            // As the JDBC driver spells it.
            "ssl" if value == "true" => {
                address.settings.push(("sslmode".to_owned(), "require".to_owned()));
            }
            _ if DRIVER.contains(&key) => kept.push(pair),
            _ => address.take(key, &decoded)?,
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    address.driver = format!("{place}{mark}{}", kept.join("&"));
    Ok(address)
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
        if DRIVER.contains(&key) {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            address.driver.extend([key, "='", &quoted, "' "]);
        } else {
            address.take(key, &value).map_err(|_| Mistake::Hidden)?;
        }
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
    fn take(&mut self, key: &str, value: &str) -> Result<(), Mistake> {
        if OURS.contains(&key) {
            self.settings.push((key.to_owned(), value.to_owned()));
            Ok(())
        } else if IGNORED.contains(&key) {
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
    fn check(text: &str, driver: &str, settings: &[(&str, &str)]) {
        let address = split(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        assert_eq!(address.driver, driver, "{text}");
        let found: Vec<(&str, &str)> =
            address.settings.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, settings, "{text}");
    }

    #[test]
    fn addresses_are_taken_apart() {
        check("postgres://u:p@h:5433/d", "postgres://u:p@h:5433/d", &[]);
        check(
            " postgresql://h/d?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem ",
            "postgresql://h/d?connect_timeout=3",
            &[("sslmode", "verify-full"), ("sslrootcert", "/etc/ca.pem")],
        );
        check(
            "postgresql://h/d?ssl=true&gssencmode=disable",
            "postgresql://h/d",
            &[("sslmode", "require")],
        );
        check(
            "postgresql://u:p?q=1@h/d?sslmode=disable",
            "postgresql://u:p?q=1@h/d",
            &[("sslmode", "disable")],
        );
    }

    #[test]
    fn lists_are_taken_apart() {
        check("host=h dbname = app", "host='h' dbname='app' ", &[]);
        check(
            r"host=/run/pg password='it\'s \\ me' sslmode=require",
            r"host='/run/pg' password='it\'s \\ me' ",
            &[("sslmode", "require")],
        );
        check(r"password=a\ b passfile=''", r"password='a b' ", &[("passfile", "")]);
    }

    #[test]
    fn mistakes_never_hold_a_value() {
        #[track_caller]
        fn check(text: &str, expected: Mistake) {
            assert_eq!(split(text).err(), Some(expected), "{text}");
        }
        check("", Mistake::Form);
        check("db.example", Mistake::Form);
        check("mysql://u:p@h/d", Mistake::Form);
        check("postgresql://h/d?schema=app", Mistake::Unknown("schema".to_owned()));
        check("postgresql://u:a@b?secret@h/d", Mistake::Hidden);
        check("postgresql://h/d?sslrootcert=%ff", Mistake::Utf8);
        check("host=h password=my secret=1", Mistake::Hidden);
        check("host=h password=my secret", Mistake::List);
        check("host=h password='my secret", Mistake::List);
    }
}
