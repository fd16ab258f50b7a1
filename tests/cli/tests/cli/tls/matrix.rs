//! Modes, roots and variables against a server without TLS, and with certificates of four kinds: the command
//! line connects only where `psql` does, if there is one.

use std::process::{Command, Stdio};

use migrate_tests::cluster::Cluster;

use super::authority::{Authority, own};
use super::{Stage, free_port};

/// The columns of the tables below: `sslrootcert`.
const ROOTS: [&str; 8] =
    ["", "ours.pem", "middle.pem", "expired.pem", "other.pem", "own.pem", "system", "missing.pem"];

/// Without TLS, no root matters; one that cannot be one is refused all the same.
const NO_TLS: &str = "
    none        + + . . + + . .
    disable     + + + + + + . +
    allow       + + . . + + . .
    prefer      + + . . + + . .
    require     . . . . . . . .
    verify-ca   . . . . . . . .
    verify-full . . . . . . . .";

/// `ours` has signed `middle`, which has signed the server's.
const SIGNED: &str = "
    none        + + . . . . . .
    disable     . . . . . . . .
    allow       + + . . . . . .
    prefer      + + . . . . . .
    require     + + . . . . . .
    verify-ca   . + . . . . . .
    verify-full . + . . . . . .";

/// The server's own is itself the root.
const OWN: &str = "
    none        + . . . . + . .
    disable     . . . . . . . .
    allow       + . . . . + . .
    prefer      + . . . . + . .
    require     + . . . . + . .
    verify-ca   . . . . . + . .
    verify-full . . . . . + . .";

/// What a table contains: the settings of one connection, and whether it is made.
fn cells(table: &str) -> impl Iterator<Item = (String, bool)> + '_ {
    table.lines().filter(|line| !line.is_empty()).flat_map(|line| {
        let mut words = line.split_whitespace();
        let mode = words.next().expect("a mode");
        let mode = if mode == "none" { String::new() } else { format!("sslmode={mode}") };
        let roots = ROOTS.iter().zip(words).map(move |(roots, cell)| {
            let roots =
                if roots.is_empty() { String::new() } else { format!("sslrootcert={roots}") };
            (format!("{mode} {roots}"), cell == "+")
        });
        roots.collect::<Vec<_>>()
    })
}

impl Stage {
    /// Whether `psql` connects; `None` if there is no `psql`.
    fn psql(&self, role: &str, settings: &str, variables: &[(&str, &str)]) -> Option<bool> {
        let program = self.cluster.program("psql");
        if !program.is_absolute() {
            return None;
        }
        let mut psql = Command::new(program);
        psql.env_clear().envs(variables.iter().copied()).env("HOME", self.folder.path());
        psql.args(["-X", "-w", "-c", "SELECT 1", "-d", &self.address(role, settings)]);
        psql.current_dir(self.folder.path()).stdin(Stdio::null());
        Some(psql.output().expect("psql").status.success())
    }

    #[track_caller]
    fn check(&self, role: &str, settings: &str, variables: &[(&str, &str)], connects: bool) {
        let what = format!("{role} {settings} {variables:?}");
        let (code, text) = self.status(role, settings, variables);
        assert_eq!(code == 3, connects, "{what}: {code}: {text}");
        if connects {
            let psql = self.psql(role, settings, variables);
            assert_ne!(psql, Some(false), "{what}: psql does not connect");
        }
    }

    /// Every cell of a table, by the address and, for every other one, by variables.
    fn check_table(&self, role: &str, table: &str) {
        let mut count = 0;
        for (settings, connects) in cells(table) {
            self.check(role, &settings, &[], connects);
            let pairs = settings.split_whitespace().filter_map(|pair| pair.split_once('='));
            let variables: Vec<(&str, &str)> = pairs
                .map(|(key, value)| {
                    (if key == "sslmode" { "PGSSLMODE" } else { "PGSSLROOTCERT" }, value)
                })
                .collect();
            if count % 2 == 0 && !variables.is_empty() {
                self.check(role, "", &variables, connects);
            }
            count += 1;
        }
        assert_eq!(count, 56);
    }
}

/// A certificate of version 1, which has no names and no extensions.
const OLD: (&str, &str) = (include_str!("v1/server.crt"), include_str!("v1/server.key"));

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_connects_only_where_psql_does() {
    let mut stage = Stage::of(Cluster::create()).await;
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let middle = ours.below("middle");
    let (signed, key) = middle.sign("db.example", "db.example");
    let (own, own_key) = own("db.example");
    stage.write("ours.pem", &ours.certificate);
    stage.write("middle.pem", &middle.certificate);
    stage.write("expired.pem", &ours.expired());
    stage.write("other.pem", &other.certificate);
    stage.write("own.pem", &own);
    stage.write("old.pem", OLD.0);
    stage.check_table("postgres", NO_TLS);
    stage.refuses("postgres", "sslmode=require", "help: turn on TLS at the server; or");

    stage.certify(&format!("{signed}{}", middle.certificate), &key).await;
    stage.check_table("tls", SIGNED);
    let dotted = "host=db.example. sslrootcert=ours.pem";
    stage.check("tls", &format!("{dotted} sslmode=verify-full"), &[], false);
    assert_ne!(stage.psql("tls", &format!("{dotted} sslmode=verify-full"), &[]), Some(true));
    stage.check("tls", &format!("{dotted} sslmode=verify-ca"), &[], true);
    let both = |one: bool| format!("{}{}", ours.revokes(false), middle.revokes(one));
    stage.write("current.crl", &both(false));
    stage.write("revoked.crl", &both(true));
    for (settings, variables, why) in VARIABLES {
        stage.check("tls", settings, variables, why.is_empty());
        let (_, text) = stage.status("tls", settings, variables);
        assert!(text.contains(why), "{settings} {variables:?}: {text}");
    }
    stage.run("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.3'").await;
    stage.reload().await;
    stage.check("tls", "", &[("PGSSLMAXPROTOCOLVERSION", "TLSv1.2")], false);
    stage.check("tls", "", &[("PGSSLMINPROTOCOLVERSION", "TLSv1.3")], true);

    stage.certify(&own, &own_key).await;
    stage.check_table("tls", OWN);
    let elsewhere = "host=elsewhere.example sslrootcert=own.pem";
    stage.check("tls", &format!("{elsewhere} sslmode=verify-ca"), &[], true);
    stage.check("tls", &format!("{elsewhere} sslmode=verify-full"), &[], false);

    stage.run("ALTER SYSTEM RESET ssl_min_protocol_version").await;
    stage.certify(OLD.0, OLD.1).await;
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        for (roots, connects) in [
            ("", !mode.starts_with("verify")),
            ("sslrootcert=ours.pem", false),
            ("sslrootcert=old.pem", true),
        ] {
            for version in ["TLSv1.2", "TLSv1.3"] {
                let versions = [("PGSSLMAXPROTOCOLVERSION", version)];
                stage.check("tls", &format!("sslmode={mode} {roots}"), &versions, connects);
            }
        }
    }
    let elsewhere = "host=elsewhere.example sslrootcert=old.pem";
    stage.check("tls", &format!("{elsewhere} sslmode=verify-ca"), &[], true);
    stage.check("tls", &format!("{elsewhere} sslmode=verify-full"), &[], false);

    // The host is only the common name, of a certificate that an authority has signed or not.
    let (bare, bare_key) = ours.sign_bare("*.example");
    stage.certify(&bare, &bare_key).await;
    let full = "sslmode=verify-full sslrootcert=ours.pem";
    stage.check("tls", full, &[], true);
    stage.check("tls", &format!("{full} host=a.db.example"), &[], false);
    stage.check("tls", &format!("{full} host=example"), &[], false);
}

type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Settings and variables next to those of the tables, and why they are refused; empty if not.
const VARIABLES: [Row; 24] = [
    ("sslmode=verify-full sslrootcert=ours.pem host=elsewhere.example", &[], "not valid for name"),
    ("sslmode=verify-ca sslrootcert=ours.pem host=elsewhere.example", &[], ""),
    ("", &[("PGREQUIRESSL", "1"), ("PGSSLROOTCERT", "ours.pem")], ""),
    ("", &[("PGREQUIRESSL", "1"), ("PGSSLROOTCERT", "other.pem")], "UnknownIssuer"),
    ("sslrootcert=ours.pem", &[("PGSSLCRL", "current.crl")], ""),
    ("sslrootcert=ours.pem", &[("PGSSLCRL", "revoked.crl")], "Revoked"),
    ("sslrootcert=ours.pem", &[("PGSSLCRL", "ours.pem")], "no readable revocation list"),
    ("sslrootcert=ours.pem", &[("PGSSLCRLDIR", ".")], "the variable PGSSLCRLDIR cannot be used"),
    ("", &[("PGSSLSNI", "0")], ""),
    ("", &[("PGSSLMINPROTOCOLVERSION", "TLSv1.3")], ""),
    ("", &[("PGSSLMAXPROTOCOLVERSION", "TLSv1.2")], ""),
    ("", &[("PGSSLMAXPROTOCOLVERSION", "TLSv1.1")], "TLS before 1.2 is not supported"),
    ("", &[("PGCHANNELBINDING", "require")], "server did not use channel binding"),
    ("channel_binding=require", &[], "help: set `channel_binding=prefer`, or"),
    ("", &[("PGGSSENCMODE", "disable")], ""),
    ("", &[("PGGSSENCMODE", "require")], "the variable PGGSSENCMODE cannot be used"),
    ("gssencmode=require", &[], "GSSAPI is not supported"),
    ("", &[("PGREQUIREAUTH", "scram-sha-256")], "the variable PGREQUIREAUTH cannot be used"),
    ("", &[("PGREQUIREPEER", "postgres")], "the variable PGREQUIREPEER cannot be used"),
    ("", &[("PGCLIENTENCODING", "LATIN1")], "the variable PGCLIENTENCODING cannot be used"),
    ("", &[("PGSSLNEGOTIATION", "direct")], "the variable PGSSLNEGOTIATION cannot be used"),
    ("", &[("PGOPTIONS", "-c work_mem=nothing")], "invalid value for parameter"),
    ("", &[("PGTZ", "Nowhere/Land")], "invalid value for parameter"),
    ("", &[("PGTARGETSESSIONATTRS", "standby")], "it is not a standby"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_is_missing_is_not_the_systems() {
    let stage = Stage::set().await;
    for mode in ["verify-ca", "verify-full"] {
        let (code, text) = stage.status("tls", &format!("sslmode={mode}"), &[]);
        assert!(code == 2 && text.contains("there is no root certificate"), "{text}");
    }
    // Nothing is sent to a server that cannot be verified.
    let closed = format!("hostaddr=127.0.0.1 port={} sslmode=verify-full", free_port());
    let (code, text) = stage.status("tls", &closed, &[]);
    assert!(code == 2 && text.contains("there is no `host`"), "{text}");
}
