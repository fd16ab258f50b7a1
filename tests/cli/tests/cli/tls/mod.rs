//! Connections of the command line to a server that requires TLS, certificates and passwords.
//!
//! The server listens on 127.0.0.1 with a certificate for `db.example`, signed by an authority that is
//! created here. Its roles are named after what they require.

mod authority;
mod cancel;
mod hosts;
mod matrix;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use migrate_tests::cluster::Cluster;
use migrate_tests::database::connect;
use tempfile::TempDir;
use tokio_postgres::{Client, Config};

use authority::Authority;

const PASSWORD: &str = "s3:cr\\et w0rd";

struct Stage {
    cluster: Cluster,
    port: u16,
    folder: TempDir,
    server: Client,
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
    /// A server that requires TLS of some roles, with a certificate that `ours` has signed.
    async fn set() -> Stage {
        let mut stage = Stage::of(Cluster::create()).await;
        let (ours, other) = (Authority::new("ours"), Authority::new("other"));
        let (client, client_key) = ours.sign("client.example", "certified");
        stage.write("ours.pem", &ours.certificate);
        stage.write("other.pem", &other.certificate);
        stage.write("client.pem", &client);
        stage.write("client.key", &client_key);
        stage.put("umask 077; cat >root.crt", &ours.certificate).await;
        stage.run("ALTER SYSTEM SET ssl_ca_file = 'root.crt'").await;
        let (certificate, key) = ours.sign("db.example", "db.example");
        stage.certify(&certificate, &key).await;
        // md5 was the default before PostgreSQL 14.
        stage.run("SET password_encryption = 'scram-sha-256'").await;
        stage.run(&format!("CREATE ROLE secret LOGIN PASSWORD '{PASSWORD}'")).await;
        stage
    }

    /// This server, without TLS.
    async fn of(mut cluster: Cluster) -> Stage {
        let port = free_port();
        cluster.set("listen_addresses=127.0.0.1");
        cluster.set(&format!("port={port}"));
        cluster.start();
        let folder = tempfile::tempdir().expect("a folder");
        let server = connect(Config::new().host("127.0.0.1").port(port).user("postgres")).await;
        let stage = Stage { cluster, port, folder, server };
        stage.put("cat - pg_hba.conf >new.conf; mv new.conf pg_hba.conf", &RULES.join("\n")).await;
        for role in ["tls", "plain", "certified"] {
            stage.run(&format!("CREATE ROLE {role} LOGIN")).await;
        }
        stage.run("SELECT pg_reload_conf()").await;
        stage
    }

    async fn run(&self, sql: &str) {
        self.server.batch_execute(sql).await.expect(sql);
    }

    /// Pipes `text` into a program of the server, which writes its own files, because it may run as
    /// another user.
    async fn put(&self, program: &str, text: &str) {
        let lines = format!("string_to_array('{}', E'\\n')", text.replace('\'', "''"));
        self.run(&format!("COPY (SELECT unnest({lines})) TO PROGRAM '{program}'")).await;
    }

    /// Gives the server this certificate.
    async fn certify(&mut self, certificate: &str, key: &str) {
        self.put("umask 077; cat >server.crt", certificate).await;
        self.put("umask 077; cat >server.key", key).await;
        self.run("ALTER SYSTEM SET ssl = on").await;
        self.reload().await;
    }

    /// Makes the server read its settings and certificates, and waits until new sessions have them.
    async fn reload(&mut self) {
        let loaded = async |session: &Client| -> SystemTime {
            let sql = "SELECT pg_conf_load_time()";
            session.query_one(sql, &[]).await.expect(sql).get(0)
        };
        let before = loaded(&self.server).await;
        self.run("SELECT pg_reload_conf()").await;
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("postgres");
        while loaded(&self.server).await <= before {
            self.server = connect(&config).await;
        }
    }

    /// Writes a file that only its owner can read.
    fn write(&self, name: &str, text: &str) {
        let file = self.folder.path().join(name);
        fs::write(&file, text).expect(name);
        close(&file);
    }

    /// The exit code and output of `status`, with these settings next to host, port and role, and with
    /// these variables.
    fn status(&self, role: &str, settings: &str, variables: &[(&str, &str)]) -> (i32, String) {
        let address = self.address(role, settings);
        let mut service = Command::new(env!("CARGO_BIN_EXE_service"));
        service.args(["migrate", "status", "--exit-code"]).env_clear().env("DATABASE_URL", address);
        service.envs(variables.iter().copied()).env("HOME", self.folder.path());
        service.current_dir(self.folder.path()).stdin(Stdio::null());
        let output = service.output().expect("the service");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(!text.contains("s3:cr"), "{text}");
        (output.status.code().expect("an exit code"), text)
    }

    fn address(&self, role: &str, settings: &str) -> String {
        let own = |key: &str, value: &str| {
            let is_set =
                settings.split_whitespace().any(|pair| pair.starts_with(&format!("{key}=")));
            if is_set { String::new() } else { format!("{key}={value} ") }
        };
        // An address that names its hosts names their addresses.
        let several = settings.contains(',') || settings.contains("hostaddr=");
        let host = if several { String::new() } else { own("host", "db.example") };
        let at = if several { String::new() } else { own("hostaddr", "127.0.0.1") };
        let port = own("port", &self.port.to_string());
        format!("{host}{at}{port}user={role} dbname=postgres {settings}")
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
    stage.refuses("tls", "sslmode=prefer sslrootcert=other.pem", unknown);
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
    let open = stage.folder.path().join("client.key");
    fs::set_permissions(&open, Permissions::from_mode(0o640)).expect("permissions");
    let (code, text) = stage.status("certified", "sslcert=client.pem sslkey=client.key", &[]);
    // Of a key of root, the group may be a reader.
    assert!(code == 3 || text.contains("can be read or written by others"), "{text}");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("permissions");
    let (code, text) = stage.status("certified", "sslcert=client.pem sslkey=client.key", &[]);
    assert!(code == 2 && text.contains("can be read or written by others"), "{text}");
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
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("permissions");
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("its address").port()
}
