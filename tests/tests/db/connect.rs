//! From an address to a migrated database: what is reached, what is waited for, and what errors show.

use std::future::IntoFuture;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use migrate_runtime::tenants::Tenants;
use migrate_runtime::{ErrorKind, Event, Migrator, Rollback, connect, run_in_order};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::tables;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

#[tokio::test]
async fn one_call_migrates_the_database_at_an_address() {
    let database = FreshDatabase::create().await;
    let set = tables(2);
    let report = Migrator::new(&set).run_url(database.url()).await.expect("a run");
    assert_eq!(report.applied.len(), 2);
    let client = connect(database.url()).await.expect("a client");
    let program = std::env::current_exe().expect("a program");
    let program = program.file_stem().expect("a name").to_str().expect("UTF-8");
    assert_eq!(value(&client, "SHOW application_name").await, program);
    let applied_by = "SELECT DISTINCT application FROM migration_ledger";
    assert_eq!(value(&client, applied_by).await, program);
    let named = connect(format!("{} application_name=shop", list(&database.config())));
    assert_eq!(value(&named.await.expect("a client"), "SHOW application_name").await, "shop");
}

/// An address as a list, which more options can follow.
fn list(config: &Config) -> String {
    let host = match &config.get_hosts()[0] {
        Host::Tcp(host) => host.clone(),
        Host::Unix(folder) => folder.to_str().expect("UTF-8").to_owned(),
    };
    let password = config.get_password().map(String::from_utf8_lossy).unwrap_or_default();
    format!(
        "host={host} port={} user={} dbname={} password='{password}'",
        config.get_ports().first().copied().unwrap_or(5432),
        config.get_user().expect("a user"),
        config.get_dbname().expect("a database"),
    )
}

#[tokio::test]
async fn missing_database_is_named_with_the_way_to_create_it() {
    let database = FreshDatabase::create().await;
    let url = list(database.config().dbname("no_such_shop"));
    // It does not pass with time, so the wait ends at once.
    let wait = connect(&url).wait_for_server(Duration::from_mins(10));
    let set = tables(1);
    let error = Migrator::new(&set).run_url(wait).await.expect_err("no such database");
    assert_eq!(error.code(), "connection");
    let ErrorKind::Connect(found) = error.kind() else { panic!("{error}") };
    assert!(!found.is_usage(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("cannot connect to `no_such_shop` on "), "{text}");
    let end = "(SQLSTATE 3D000)\nhelp: create it: `createdb no_such_shop`";
    assert!(text.ends_with(end), "{text}");
    let on_a_command_line = format!("{error:#}");
    let end = "\nhelp: create it: `database create`, or `createdb no_such_shop`";
    assert!(on_a_command_line.ends_with(end), "{on_a_command_line}");
    assert_eq!(format!("{error:?}"), text);
}

#[tokio::test]
async fn address_that_is_not_one_is_never_shown() {
    let set = tables(1);
    let error = Migrator::new(&set).run_url("s3cret").await.expect_err("no address");
    let expected = "the given address cannot be used: it is neither `postgresql://...` nor a list like \
                    `host=db.example dbname=app`\nhelp: write it as `postgresql://user@host/database`, without \
                    quotes or another word before it";
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{:?}", connect("s3cret")).contains("s3cret"));
}

#[test]
fn outside_a_runtime_a_connection_is_an_error() {
    let mut connecting = pin!(connect("postgresql://me@localhost/shop").into_future());
    let Poll::Ready(Err(error)) = connecting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("a connection without a runtime");
    };
    let expected = "a connection needs a Tokio runtime, and this code runs outside one\n\
                    help: await it below `#[tokio::main]`, or in `tokio::runtime::Runtime::block_on`";
    assert!(error.is_usage());
    assert_eq!(error.to_string(), expected);
}

/// Reads up to the end of the start-up message.
async fn start_up(stream: &mut TcpStream) -> io::Result<()> {
    loop {
        let mut rest = vec![0; usize::try_from(stream.read_u32().await?).expect("a length") - 4];
        stream.read_exact(&mut rest).await?;
        if rest[..4] != 80_877_103_u32.to_be_bytes() {
            return Ok(());
        }
        stream.write_all(b"N").await?;
    }
}

/// What a server that is starting up answers.
async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    let fields = "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
    let length = u32::try_from(fields.len()).expect("a length") + 4;
    let message = [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat();
    stream.write_all(&message).await
}

/// A server that is not there at once: it closes the first connection, as a proxy of containers does, refuses the
/// second because it is starting up, and then is the one of `config`.
async fn late(config: Config) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        for is_up in [false, true] {
            let (mut client, _) = listener.accept().await.expect("a client");
            start_up(&mut client).await.expect("a message");
            if is_up {
                refuse(&mut client).await.expect("an answer");
            }
        }
        loop {
            let (mut client, _) = listener.accept().await.expect("a client");
            let config = config.clone();
            tokio::spawn(async move {
                let port = config.get_ports().first().copied().unwrap_or(5432);
                match &config.get_hosts()[0] {
                    Host::Tcp(host) => {
                        let mut server = TcpStream::connect((host.as_str(), port)).await?;
                        copy_bidirectional(&mut client, &mut server).await
                    }
                    Host::Unix(folder) => {
                        let socket = folder.join(format!(".s.PGSQL.{port}"));
                        copy_bidirectional(&mut client, &mut UnixStream::connect(socket).await?)
                            .await
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn server_that_is_not_there_yet_is_waited_for() {
    let database = FreshDatabase::create().await;
    let config = database.config();
    let address = |port| {
        let mut own = Config::new();
        own.host("127.0.0.1").port(port).user(config.get_user().expect("a user"));
        own.password(config.get_password().unwrap_or_default()).dbname(database.name());
        list(&own)
    };
    let set = tables(1);
    let url = address(late(config.clone()).await);
    let error = Migrator::new(&set).run_url(&url).await.expect_err("it is not there yet");
    assert!(error.to_string().contains(": connection closed\nhelp: check that"), "{error}");
    let error = Migrator::new(&set).run_url(&url).await.expect_err("it is not there yet");
    assert!(
        error.to_string().contains("is starting up (SQLSTATE 57P03)\nhelp: try again"),
        "{error}"
    );

    let wait = connect(address(late(config.clone()).await)).wait_for_server(Duration::from_mins(1));
    let report = Migrator::new(&set).run_url(wait).await.expect("a run");
    assert_eq!(report.applied.len(), 1);
}

#[tokio::test]
async fn wait_for_a_server_has_an_end() {
    for (host, reason) in [("127.0.0.1", ": Connection refused"), ("no.such.host.invalid", ": ")] {
        let url = format!("host={host} port=1 dbname=shop user=me sslmode=disable");
        let begun = Instant::now();
        let wait = connect(url).wait_for_server(Duration::from_millis(300));
        let error = wait.await.expect_err("no server");
        assert!(begun.elapsed() >= Duration::from_millis(300), "{error}");
        let start = format!("cannot connect within 300 ms to `shop` on {host}:1{reason}");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

/// A run over it would wait for ever without a word.
#[tokio::test]
async fn client_that_no_task_drives_is_reported() {
    let database = FreshDatabase::create().await;
    let (mut client, _connection) = database.config().connect(NoTls).await.expect("a client");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let set = tables(1);
    let migrator = Migrator::new(&set).deadline(Duration::from_secs(5)).on({
        let seen = Arc::clone(&seen);
        move |event| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(matches!(event, Event::Unanswered { .. }));
        }
    });
    let error = migrator.run(&mut client).await.expect_err("the deadline");
    assert_eq!(*seen.lock().unwrap_or_else(PoisonError::into_inner), [true]);
    assert!(matches!(error.kind(), ErrorKind::Unanswered { .. }), "{error}");
    let expected = "the server did not answer the first message within the deadline of 5 s\n\
                    help: a task must drive the client's connection (`tokio::spawn(connection)`); if one \
                    does, check the server and the pooler";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn every_verb_reports_a_client_that_no_task_drives() {
    let database = FreshDatabase::create().await;
    let (set, seen) = (tables(1), Arc::new(Mutex::new(Vec::new())));
    let reported = Arc::new(Semaphore::new(0));
    let migrator = |verb: &'static str| {
        let (seen, reported) = (Arc::clone(&seen), Arc::clone(&reported));
        Migrator::new(&set).on(move |event| {
            assert!(matches!(event, Event::Unanswered { .. }), "{event:?}");
            reported.add_permits(1);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(verb);
        })
    };
    let mut clients = Vec::new();
    for _ in 0..9 {
        clients.push(database.config().connect(NoTls).await.expect("a client"));
    }
    let (mut clients, _connections): (Vec<_>, Vec<_>) = clients.into_iter().unzip();
    let mut client = || clients.pop().expect("a client");
    let (plan, status, verify, history) = (client(), client(), client(), client());
    let (undo, required, mut amended, mut ordered) = (client(), client(), client(), client());
    let tenant = Mutex::new(Some(Box::new(client())));
    let get = || async { tenant.lock().expect("a client").take().ok_or("one client") };
    let of =
        ["plan", "status", "verify", "history", "undo", "required", "baseline", "order", "tenants"]
            .map(migrator);
    let (tenants, schemas) = (Tenants::new(&of[8]), ["one", "two"]);
    let verbs = async {
        tokio::join!(
            of[0].plan(&plan),
            of[1].status(&status),
            of[2].verify(&verify),
            of[3].history(&history),
            of[4].plan_rollback(&undo, Rollback::All),
            of[5].require_applied(&required, [1]),
            of[6].baseline(&mut amended, 1),
            run_in_order([&of[7]], &mut ordered),
            tenants.run(schemas, get, |_| {}),
        )
    };
    let all_are_reported = async {
        tokio::select! {
            _ = verbs => panic!("none is answered"),
            all = reported.acquire_many(9) => drop(all.expect("nothing closes it")),
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all_are_reported).await.expect("a report of each");
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    seen.sort_unstable();
    let all =
        ["baseline", "history", "order", "plan", "required", "status", "tenants", "undo", "verify"];
    assert_eq!(seen, all);
}

#[tokio::test]
async fn wait_of_no_time_is_none() {
    let database = FreshDatabase::create().await;
    let wait = connect(database.url()).wait_for_server(Duration::ZERO);
    wait.await.unwrap_or_else(|error| panic!("{error}"));
    let error = connect("host=127.0.0.1 port=1 user=me").wait_for_server(Duration::ZERO).await;
    let text = error.expect_err("no server").to_string();
    assert!(text.starts_with("cannot connect to `me` on 127.0.0.1:1: "), "{text}");
}
