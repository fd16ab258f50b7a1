//! Replaces the database in an address, which is a `postgresql://` URI or a list of `key=value` by the
//! rules of libpq (manual section 34.1.1).

/// The address of another database on the same server; `None` if the text has neither form.
pub(super) fn with_database(address: &str, database: &str) -> Option<String> {
    let address = address.trim();
    if let Some(rest) =
        address.strip_prefix("postgresql://").or_else(|| address.strip_prefix("postgres://"))
    {
        let scheme = &address[..address.len() - rest.len()];
        return Some(format!("{scheme}{}", uri_with_database(rest, database)));
    }
    let is_list = address.split_once('=').is_some_and(|(key, _)| is_key(key.trim()));
    is_list.then(|| {
        // If a key is repeated, its last value counts.
        let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
        format!("{address} dbname='{quoted}'")
    })
}

/// Percent-encodes everything except the unreserved characters of RFC 3986, section 2.3.
pub(super) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(HEX[usize::from(value)]);
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

/// `[user[:password]@][host][/database][?key=value&...]` with another database. A parameter `dbname`
/// would override the path, so it is removed.
fn uri_with_database(rest: &str, database: &str) -> String {
    // As tokio-postgres parses it: a password can contain a `/`, but no `@`.
    let host = rest.find('@').map_or(0, |at| at + 1);
    let end = rest[host..].find(['/', '?']).map_or(rest.len(), |length| host + length);
    let (server, tail) = rest.split_at(end);
    let parameters = tail.split_once('?').map_or("", |(_, parameters)| parameters);
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("dbname="))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{server}/{}{mark}{}", encode(database), kept.join("&"))
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, database: &str, expected: Option<&str>) {
        assert_eq!(with_database(address, database).as_deref(), expected, "{address}");
    }

    #[test]
    fn a_uri_keeps_everything_but_its_database() {
        check("postgresql://", "a", Some("postgresql:///a"));
        check("postgres://h", "a", Some("postgres://h/a"));
        check("postgresql://u:p@h:5433,i:5434/old", "a", Some("postgresql://u:p@h:5433,i:5434/a"));
        check("postgresql://u:p/w@h/old", "a", Some("postgresql://u:p/w@h/a"));
        check("postgresql://[::1]:5432/old", "a", Some("postgresql://[::1]:5432/a"));
        check(
            "postgresql://h/old?sslmode=prefer&connect_timeout=3",
            "a",
            Some("postgresql://h/a?sslmode=prefer&connect_timeout=3"),
        );
        check("postgresql://h?options=-c%20x", "a", Some("postgresql://h/a?options=-c%20x"));
        check("postgresql://h/old?dbname=other&port=1", "a", Some("postgresql://h/a?port=1"));
        check("postgresql://h/old?dbname=other", "a", Some("postgresql://h/a"));
        check("postgresql://u@/old?host=%2Ftmp", "a", Some("postgresql://u@/a?host=%2Ftmp"));
    }

    #[test]
    fn a_name_is_encoded() {
        check("postgresql://h/old", "a b/c?d%é", Some("postgresql://h/a%20b%2Fc%3Fd%25%C3%A9"));
    }

    #[test]
    fn a_list_gets_one_more_key() {
        check("host=/tmp user=me", "a", Some("host=/tmp user=me dbname='a'"));
        check(" host = h dbname=old ", r"it's \", Some(r"host = h dbname=old dbname='it\'s \\'"));
    }

    #[test]
    fn anything_else_is_refused() {
        check("", "a", None);
        check("database", "a", None);
        check("mysql://h/db", "a", None);
        check("mysql://h/db?x=y", "a", None);
        check("=x", "a", None);
    }
}
