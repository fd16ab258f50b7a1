//! Every connection option of libpq (manual, sections 34.1.2 and 34.15): its keyword, its variable, and
//! whether it is honoured. None is ignored: an option that is neither honoured nor without effect is refused.

use super::address::Mistake;

/// What is done with an option.
enum Rule {
    /// It is honoured, or without effect.
    Any,
    /// These values are; others are refused, for this reason.
    Only(&'static [&'static str], &'static str),
}

use Rule::{Any, Only};

const ENCRYPTED_KEY: &str =
    "a key that is encrypted cannot be read; decrypt it to a file of mode 0600";
const KERBEROS: &str = "GSSAPI is not supported";
const KEYS: &str = "SCRAM keys are not supported, a password is";
const OAUTH: &str = "OAuth is not supported";
const PROTOCOL: &str = "the driver speaks protocol 3.0";

/// Keyword, variable (empty if there is none) and rule.
const OPTIONS: [(&str, &str, Rule); 52] = [
    ("application_name", "PGAPPNAME", Any),
    ("channel_binding", "PGCHANNELBINDING", Any),
    (
        "client_encoding",
        "PGCLIENTENCODING",
        Only(&["utf8", "utf-8", "unicode"], "text is always sent as UTF-8"),
    ),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Any),
    ("dbname", "PGDATABASE", Any),
    ("fallback_application_name", "", Any),
    ("gssdelegation", "PGGSSDELEGATION", Only(&["0"], KERBEROS)),
    ("gssencmode", "PGGSSENCMODE", Only(&["disable", "prefer"], KERBEROS)),
    // Without effect: a server that asks for Kerberos is refused.
    ("gsslib", "PGGSSLIB", Any),
    ("host", "PGHOST", Any),
    ("hostaddr", "PGHOSTADDR", Any),
    ("keepalives", "", Any),
    ("keepalives_count", "", Any),
    ("keepalives_idle", "", Any),
    ("keepalives_interval", "", Any),
    // As gsslib.
    ("krbsrvname", "PGKRBSRVNAME", Any),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Any),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Only(&["3.0", "3.2", "latest"], PROTOCOL)),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", Only(&["3.0"], PROTOCOL)),
    ("oauth_client_id", "", Only(&[], OAUTH)),
    ("oauth_client_secret", "", Only(&[], OAUTH)),
    ("oauth_issuer", "", Only(&[], OAUTH)),
    ("oauth_scope", "", Only(&[], OAUTH)),
    ("options", "PGOPTIONS", Any),
    ("passfile", "PGPASSFILE", Any),
    ("password", "PGPASSWORD", Any),
    ("port", "PGPORT", Any),
    ("replication", "", Only(&["0", "false", "off", "no"], "migrations need a session of SQL")),
    (
        "require_auth",
        "PGREQUIREAUTH",
        Only(
            &[],
            "the method cannot be limited; `channel_binding=require` requires SCRAM over TLS",
        ),
    ),
    ("requirepeer", "PGREQUIREPEER", Only(&[], "the owner of a socket is not checked")),
    ("scram_client_key", "", Only(&[], KEYS)),
    ("scram_server_key", "", Only(&[], KEYS)),
    ("service", "PGSERVICE", Any),
    ("servicefile", "PGSERVICEFILE", Any),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Any),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Any),
    ("sslcert", "PGSSLCERT", Any),
    (
        "sslcertmode",
        "PGSSLCERTMODE",
        Only(&["disable", "allow"], "whether the server asked for a certificate is not known"),
    ),
    // Without effect: nothing is compressed, as in libpq with an OpenSSL of today.
    ("sslcompression", "PGSSLCOMPRESSION", Any),
    ("sslcrl", "PGSSLCRL", Any),
    ("sslcrldir", "PGSSLCRLDIR", Only(&[], "name one file with `sslcrl`")),
    ("sslkey", "PGSSLKEY", Any),
    ("sslkeylogfile", "", Only(&[], "keys are never written")),
    ("sslmode", "PGSSLMODE", Any),
    ("sslnegotiation", "PGSSLNEGOTIATION", Only(&["postgres"], "use `postgres`")),
    ("sslpassword", "", Only(&[], ENCRYPTED_KEY)),
    ("sslrootcert", "PGSSLROOTCERT", Any),
    ("sslsni", "PGSSLSNI", Any),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Any),
    ("tcp_user_timeout", "", Any),
    ("user", "PGUSER", Any),
    // The driver's name of keepalives_count.
    ("keepalives_retries", "", Any),
];

/// What libpq refuses to read as empty. Elsewhere, an empty value is as none.
const NEVER_EMPTY: [&str; 16] = [
    "channel_binding", "connect_timeout", "gssencmode", "keepalives", "keepalives_count",
    "keepalives_idle", "keepalives_interval", "load_balance_hosts", "max_protocol_version",
    "min_protocol_version", "service", "sslcertmode", "sslmode", "sslnegotiation",
    "target_session_attrs", "tcp_user_timeout",
];

/// Variables that set a parameter of the session, and the parameter.
pub(super) const SESSION: [(&str, &str); 3] =
    [("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")];

/// Whether libpq or the driver has an option of this name.
pub(super) fn is_known(key: &str) -> bool {
    OPTIONS.iter().any(|(known, ..)| *known == key)
}

/// Each keyword that has a variable, with it.
pub(super) fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = OPTIONS.iter().map(|(key, variable, _)| (*key, *variable));
    all.filter(|(_, variable)| !variable.is_empty())
}

/// # Errors
/// If an option with this value is not supported, or cannot be empty.
pub(super) fn check(key: &str, value: &str) -> Result<(), Mistake> {
    if let ("", Some(key)) = (value, NEVER_EMPTY.iter().find(|known| **known == key)) {
        return Err(Mistake::Value(key));
    }
    match OPTIONS.iter().find(|(known, ..)| *known == key) {
        Some((key, _, Only(values, why))) => {
            let is_one = values.iter().any(|known| known.eq_ignore_ascii_case(value));
            if value.is_empty() || is_one { Ok(()) } else { Err(Mistake::Unsupported(key, why)) }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_honoured_or_refused() {
        #[track_caller]
        fn check_all(key: &str, allowed: &[&str], refused: &[&str]) {
            assert!(is_known(key), "{key}");
            for value in allowed {
                assert_eq!(check(key, value), Ok(()), "{key}={value}");
            }
            for value in refused {
                let is_refused = matches!(check(key, value), Err(Mistake::Unsupported(..)));
                assert!(is_refused, "{key}={value}");
            }
        }
        check_all("gssencmode", &["disable", "prefer"], &["require"]);
        check_all("require_auth", &[""], &["scram-sha-256", "!password", "none"]);
        check_all("requirepeer", &[""], &["postgres"]);
        check_all("client_encoding", &["UTF8", "utf-8"], &["LATIN1", "auto"]);
        check_all("sslnegotiation", &["postgres"], &["direct"]);
        check_all("sslcertmode", &["allow", "disable"], &["require"]);
        check_all("sslcrldir", &[""], &["/etc/crl"]);
        check_all("sslpassword", &[""], &["x"]);
        check_all("replication", &["false"], &["database", "true"]);
        check_all("min_protocol_version", &["3.0"], &["3.2", "latest"]);
        check_all("max_protocol_version", &["3.0", "latest"], &["2.0"]);
        check_all("krbsrvname", &["postgres"], &[]);
        for key in NEVER_EMPTY {
            assert_eq!(check(key, ""), Err(Mistake::Value(key)));
        }
    }
}
