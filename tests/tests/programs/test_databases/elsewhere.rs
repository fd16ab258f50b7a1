//! Servers on which a test would run in a database that is not its own: one that gives every name the same
//! database, as `PGlite` does, and a pooler.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use migrate_runtime::{Migrations, Migrator};
use migrate_testing::{Server, TestDatabase, TestError, check_idempotent, check_reversible};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::pooler::Pooler;
use migrate_tests::sets::unparsed;

use super::part::{Part, folder, temporary_folder};

fn reversible() -> Migrations {
    unparsed(&[("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;")])
}

/// What the checks of a set fail with.
pub(crate) fn failed_checks() -> BTreeSet<String> {
    let set = reversible();
    let checked = [check_reversible(&set), check_idempotent(&set)];
    let text = |error: String| error.replace('\n', " / ");
    checked.into_iter().map(|result| text(result.expect_err("a check").to_string())).collect()
}

/// What each way to a database of a test, and each check, fails with.
pub(crate) fn refusals() -> BTreeSet<String> {
    let set = reversible();
    let refused = [
        TestDatabase::new(&set).map(drop).map_err(|error| error.to_string()),
        TestDatabase::with_fixture(&set, "SELECT 1").map(drop).map_err(|error| error.to_string()),
        TestDatabase::empty().map(drop).map_err(|error| error.to_string()),
    ];
    let texts = refused.into_iter().map(|result| result.expect_err("no database of its own"));
    let text = |text: String| {
        // The names of databases are random.
        let words = text.split('`').map(|word| match word.rsplit_once('_') {
            Some((kind @ ("migrate_test" | "migrate_template"), _)) => kind,
            _ => word,
        });
        words.collect::<Vec<_>>().join("`").replace('\n', " / ")
    };
    texts.chain(failed_checks()).map(text).collect()
}

/// Where the databases of two sets that create the same role are, and the result of the checks of one.
pub(crate) fn same_role() -> Vec<String> {
    let of = |more: &str| {
        let text = format!("-- UP\nCREATE ROLE app; {more}\n-- DOWN\nDROP ROLE app;");
        unparsed(&[("1_a.sql", text.as_str())])
    };
    // The lines between have the separator of these texts.
    let text = |error: String| {
        let (first, last) = (error.lines().next(), error.lines().last());
        [first, last].map(Option::unwrap_or_default).join(" / ")
    };
    let sets = [of(""), of(""), of("SELECT 1;")];
    let databases = sets.each_ref().map(TestDatabase::new);
    let place = |database: &Result<TestDatabase, TestError>| match database {
        Ok(database) => database.server().url().to_owned(),
        Err(error) => text(error.to_string()),
    };
    let checked = check_reversible(&sets[0]).and_then(|()| check_idempotent(&sets[0]));
    let checked = checked.map_or_else(|error| text(error.to_string()), |()| "checked".to_owned());
    databases.iter().map(place).chain([checked]).collect()
}

const OTHER: &str = " / help: use a server on which each name is another database, as it is on PostgreSQL and \
                     not on PGlite; or unset DATABASE_URL to use a throwaway server";
const POOLER: &str = "the connection goes through a pooler, and the databases of tests need sessions of their own \
                      / help: name the server itself in DATABASE_URL; or unset it to use a throwaway server";

/// Forwards to the server on a socket, with `database` in place of the one that each client asks for.
fn serve_one_database(server: &Server, database: &str) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let (socket, database) = (folder(server).join(".s.PGSQL.5432"), database.to_owned());
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (socket, database) = (socket.clone(), database.clone());
            thread::spawn(move || forward(client, UnixStream::connect(socket)?, &database));
        }
    });
    Ok(port)
}

/// The start-up message is its length, a version, and pairs of texts (manual, "Message Formats").
fn forward(mut client: TcpStream, mut server: UnixStream, database: &str) -> io::Result<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut asked = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut asked)?;
    let mut given = asked[..4].to_vec();
    given.extend(format!("user\0postgres\0database\0{database}\0\0").bytes());
    let length = u32::try_from(given.len() + 4).map_err(io::Error::other)?;
    server.write_all(&length.to_be_bytes())?;
    server.write_all(&given)?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Both)
    });
    io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Both)?;
    answers.join().map_or(Ok(()), |closed| closed.or(Ok(())))
}

#[tokio::test(flavor = "multi_thread")]
async fn server_with_one_database_is_refused_before_a_migration_runs_in_it() {
    let server = Server::start().unwrap();
    let config: tokio_postgres::Config = server.url().parse().unwrap();
    let own = migrate_tests::database::connect(&config).await;
    own.batch_execute("CREATE TABLE precious AS SELECT 1 AS id").await.unwrap();
    let on = serve_one_database(&server, "postgres").unwrap();
    let url = |name: &str| format!("postgresql://postgres@127.0.0.1:{on}/{name}?sslmode=disable");

    // The name is the right one at first, and the databases that are created get the same.
    let part = Part::begin("refused", "", &[("DATABASE_URL", &url("postgres"))]).ready();
    let given = |asked: &str| {
        format!("asked for the database `{asked}`, and the server gives `postgres`{OTHER}")
    };
    assert_eq!(part.printed, [given("migrate_template"), given("migrate_test")]);
    part.end();
    let part = Part::begin("refused", "", &[("DATABASE_URL", &url("app"))]).ready();
    assert_eq!(part.printed, [given("app")]);
    part.end();
    let left = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database";
    assert_eq!(value(&own, left).await, "postgres template0 template1");
    let left =
        "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(value(&own, left).await, "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn pooler_is_refused_at_once() {
    let named = FreshDatabase::create().await;
    let pooler = Pooler::of_one_database(&named.config(), named.name()).await.unwrap();
    let part = Part::begin("refused", "", &[("DATABASE_URL", &pooler.url(named.name()))]).ready();
    assert_eq!(part.printed, [POOLER]);
    part.end();
    let part = Part::begin("refused", "", &[("DATABASE_URL", &pooler.url("app"))]).ready();
    let name = named.name();
    assert_eq!(
        part.printed,
        [format!("asked for the database `app`, and the server gives `{name}`{OTHER}")]
    );
    part.end();
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(value(&named.connect().await, tables).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_that_applies_nothing_fails() {
    let server = Server::start().unwrap();
    let config: tokio_postgres::Config = server.url().parse().unwrap();
    let own = migrate_tests::database::connect(&config).await;
    let open = |allowed: bool| format!("ALTER DATABASE template0 WITH ALLOW_CONNECTIONS {allowed}");
    own.batch_execute(&open(true)).await.unwrap();
    let config: tokio_postgres::Config = server.url_for("template0").parse().unwrap();
    let mut template = migrate_tests::database::connect(&config).await;
    Migrator::new(&reversible()).run(&mut template).await.unwrap();
    drop(template);
    own.batch_execute(&open(false)).await.unwrap();

    let part = Part::begin("checks", "", &[("DATABASE_URL", server.url())]).ready();
    let expected = "nothing was applied to the empty database, so nothing was checked / help: check that \
                    the set has migrations, and that template0 has not been migrated";
    assert_eq!(part.printed, [expected]);
    part.end();
}

#[test]
fn set_with_a_role_that_the_throwaway_server_has_gets_another_server() {
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let part = Part::begin("roles", "", &env).ready();
    let [one, same, other, checked] = &part.printed[..] else { panic!("{:?}", part.printed) };
    assert_eq!((one, &**checked), (same, "checked"));
    assert_ne!(one, other);
    part.end();
}

#[test]
fn named_server_that_has_a_role_of_the_set_is_an_error() {
    let server = Server::start().unwrap();
    let part = Part::begin("roles", "", &[("DATABASE_URL", server.url())]).ready();
    assert_eq!((&*part.printed[0], &*part.printed[1]), (server.url(), server.url()));
    let help = " / help: all databases of the server share it: drop it if nothing needs it, or migrate on a server \
                without it; a `DO` block can create a role only if `pg_roles` does not have it";
    for text in &part.printed[2..] {
        assert!(text.contains("role \"app\" already exists (SQLSTATE 42710)"), "{text}");
        assert!(text.ends_with(help), "{text}");
    }
    part.end();
}
