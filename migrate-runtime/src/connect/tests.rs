//! Whole addresses with the environment beside them.

use std::fs;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::options;
use super::settings::Environment;
use super::target::{Target, target};
use crate::outcome::ConnectError;

fn target_of(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Target, ConnectError> {
    let env = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    };
    target(url, "migrate", Environment { process: &env, file: None })
}

#[track_caller]
fn check(url: Option<&str>, variables: &[(&str, &str)], expected: &str) {
    let target = target_of(url, variables).expect("valid settings");
    let config = target.config().expect("valid settings");
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
    fs::write(&file, "[shop]\nhost=h\nuser=me\ndbname=shop\nsslmode=require\n").expect("a file");
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
        let target = target_of(Some(url), &variables).expect("valid settings");
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
        let target = target_of(url, variables).expect("valid settings");
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
        let target = target_of(Some(&url), &[]).expect("valid settings");
        let of = |config: Config| {
            config.get_password().map(|own| String::from_utf8_lossy(own).into_owned())
        };
        let each = target.servers.iter().map(|one| of(target.config_of(one, None)));
        let shared = target.config().expect("valid settings");
        (each.map(Option::unwrap_or_default).collect::<Vec<_>>().join(","), of(shared))
    };
    assert_eq!(passwords("c,b,a"), (",of_b,of_a".to_owned(), None));
    assert_eq!(passwords("b,b"), ("of_b,of_b".to_owned(), Some("of_b".to_owned())));
    fs::remove_file(&file).expect("a file");
}

#[test]
fn places_hold_no_piece_of_a_password() {
    for url in ["postgresql://me:sec@ret@h/app", "postgresql://me:sec@h/ret@h/app"] {
        let target = target_of(Some(url), &[]).expect("valid settings");
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
