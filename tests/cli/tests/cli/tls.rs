//! Connections of the command line to a server that requires TLS, certificates and passwords.
//!
//! The server listens on 127.0.0.1 with a certificate for `db.example`, signed by an authority that is
//! created here. Its roles are named after what they require.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use migrate_tests::cluster::Cluster;
use migrate_tests::database::connect;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;
use tokio_postgres::Config;

const PASSWORD: &str = "s3:cr\\et w0rd";

/// An authority: its certificate, and the key that signs others.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate for this host and common name, with its key.
    fn sign(&self, host: &str, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([host.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

struct Stage {
    _cluster: Cluster,
    port: u16,
    folder: TempDir,
}

/// The server's rules, before the one that trusts every client.
const RULES: [&str; 5] = [
    "hostssl all tls 127.0.0.1/32 trust",
    "hostnossl all tls 127.0.0.1/32 reject",
    "hostssl all plain 127.0.0.1/32 reject",
    "hostssl all certified 127.0.0.1/32 cert",
    "host all secret 127.0.0.1/32 scram-sha-256",
];

impl Stage {
    async fn set() -> Stage {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let mut cluster = Cluster::create();
        cluster.set("listen_addresses=127.0.0.1");
        cluster.set(&format!("port={port}"));
        cluster.start();
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, other) = (Authority::new("ours"), Authority::new("other"));
        let (certificate, key) = ours.sign("db.example", "db.example");
        let (client, client_key) = ours.sign("client.example", "certified");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect(name);
        write("ours.pem", &ours.certificate.pem());
        write("other.pem", &other.certificate.pem());
        write("client.pem", &client);
        write("client.key", &client_key);
        let server = connect(Config::new().host("127.0.0.1").port(port).user("postgres")).await;
        let run = async |sql: &str| server.batch_execute(sql).await.expect(sql);
        // The server writes its own files, because it may run as another user.
        let put = async |program: &str, text: &str| {
            let lines = format!("string_to_array('{}', E'\\n')", text.replace('\'', "''"));
            run(&format!("COPY (SELECT unnest({lines})) TO PROGRAM '{program}'")).await;
        };
        put("umask 077; cat >server.crt", &certificate).await;
        put("umask 077; cat >server.key", &key).await;
        put("umask 077; cat >root.crt", &ours.certificate.pem()).await;
        put("cat - pg_hba.conf >new.conf; mv new.conf pg_hba.conf", &RULES.join("\n")).await;
        for role in ["tls", "plain", "certified"] {
            run(&format!("CREATE ROLE {role} LOGIN")).await;
        }
        // md5 was the default before PostgreSQL 14.
        run("SET password_encryption = 'scram-sha-256'").await;
        run(&format!("CREATE ROLE secret LOGIN PASSWORD '{PASSWORD}'")).await;
        run("ALTER SYSTEM SET ssl_ca_file = 'root.crt'").await;
        run("ALTER SYSTEM SET ssl = on").await;
        run("SELECT pg_reload_conf()").await;
        Stage { _cluster: cluster, port, folder }
    }

    /// The exit code and output of `status`, with these settings next to host, port and role, and with
    /// these variables.
    fn status(&self, role: &str, settings: &str, variables: &[(&str, &str)]) -> (i32, String) {
        let host = if settings.contains("host=") { "" } else { "host=db.example" };
        let address = format!(
            "{host} hostaddr=127.0.0.1 port={} user={role} dbname=postgres {settings}",
            self.port
        );
        let mut service = Command::new(env!("CARGO_BIN_EXE_service"));
        service.args(["migrate", "status"]).env_clear().env("DATABASE_URL", address);
        service.envs(variables.iter().copied()).env("HOME", self.folder.path());
        service.current_dir(self.folder.path()).stdin(Stdio::null());
        let output = service.output().expect("the service");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(!text.contains("s3:cr"), "{text}");
        (output.status.code().expect("an exit code"), text)
    }

    #[track_caller]
    fn connects(&self, role: &str, settings: &str) {
        let (code, text) = self.status(role, settings, &[]);
        assert_eq!(code, 3, "{role} {settings}: {text}");
    }

    #[track_caller]
    fn refuses(&self, role: &str, settings: &str, why: &str) {
        let (code, text) = self.status(role, settings, &[]);
        assert!(code == 1 && text.contains(why), "{role} {settings}: {code}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_decides_what_is_trusted() {
    let stage = Stage::set().await;
    // Whether TLS is used.
    stage.refuses("tls", "sslmode=disable", "pg_hba.conf");
    stage.connects("tls", "");
    stage.connects("tls", "sslmode=allow");
    stage.connects("tls", "sslmode=prefer");
    stage.connects("tls", "sslmode=require");
    stage.connects("plain", "sslmode=disable");
    stage.refuses("plain", "sslmode=require", "pg_hba.conf");
    // Which servers are trusted.
    let unknown = "UnknownIssuer";
    stage.connects("tls", "sslmode=verify-full sslrootcert=ours.pem");
    stage.connects("tls", "sslmode=verify-ca sslrootcert=ours.pem");
    stage.connects("tls", "sslmode=verify-ca sslrootcert=ours.pem host=elsewhere.example");
    stage.connects("tls", "sslmode=prefer sslrootcert=other.pem");
    stage.refuses("tls", "sslmode=verify-full sslrootcert=other.pem", unknown);
    stage.refuses("tls", "sslmode=verify-ca sslrootcert=other.pem", unknown);
    stage.refuses("tls", "sslmode=require sslrootcert=other.pem", unknown);
    let wrong = "sslmode=verify-full sslrootcert=ours.pem host=elsewhere.example";
    stage.refuses("tls", wrong, "not valid for name");
    // What is not set comes from the environment, and from libpq's default files.
    let variables = [("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", "other.pem")];
    let (code, text) = stage.status("tls", "", &variables);
    assert!(code == 1 && text.contains(unknown), "{text}");
    let (code, text) = stage.status("tls", "sslmode=require sslrootcert=ours.pem", &variables);
    assert_eq!(code, 3, "{text}");
    fs::create_dir(stage.folder.path().join(".postgresql")).expect("a folder");
    copy(stage.folder.path(), "other.pem", ".postgresql/root.crt");
    stage.refuses("tls", "sslmode=verify-full", unknown);
    copy(stage.folder.path(), "ours.pem", ".postgresql/root.crt");
    stage.connects("tls", "sslmode=verify-full");
    // The client's own certificate.
    stage.refuses("certified", "sslmode=require", "certificate");
    stage.connects("certified", "sslmode=require sslcert=client.pem sslkey=client.key");
    let (code, text) = stage.status("certified", "sslcert=client.pem", &[]);
    assert!(code == 2 && text.contains("have to be set together"), "{text}");
    let (code, text) = stage.status("tls", "sslcert=client.pem sslkey=ours.pem", &[]);
    assert!(code == 2 && text.contains("`ours.pem` contains no readable private key"), "{text}");
}

fn copy(folder: &Path, from: &str, to: &str) {
    fs::copy(folder.join(from), folder.join(to)).expect("a copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_come_from_address_environment_or_file() {
    let stage = Stage::set().await;
    stage.refuses("secret", "", "give a password in the address, PGPASSWORD or ~/.pgpass");
    stage.refuses("secret", "password=wrong", "password authentication failed");
    let escaped = PASSWORD.replace('\\', "\\\\");
    stage.connects("secret", &format!("password='{escaped}'"));
    stage.connects("secret", &format!("password='{escaped}' sslmode=disable"));
    stage.connects("secret", &format!("password='{escaped}' channel_binding=require"));
    let (code, text) = stage.status("secret", "", &[("PGPASSWORD", PASSWORD)]);
    assert_eq!(code, 3, "{text}");
    let file = stage.folder.path().join(".pgpass");
    let line = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    fs::write(&file, format!("other:*:*:*:wrong\ndb.example:{}:*:secret:{line}\n", stage.port))
        .expect("a file");
    let (code, text) = stage.status("secret", "", &[]);
    assert!(code == 1 && text.contains("can be read by others"), "{text}");
    close(&file);
    stage.connects("secret", "");
    let elsewhere = stage.folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).expect("a file");
    stage.refuses("secret", "", "give a password");
    stage.connects("secret", "passfile=elsewhere");
    let (code, text) = stage.status("secret", "", &[("PGPASSFILE", "elsewhere")]);
    assert_eq!(code, 3, "{text}");
}

fn close(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("permissions");
}
