//! The service while it runs: what it answers, what its health shows, and how a signal ends it.

use super::*;

#[tokio::test]
async fn it_serves_what_it_migrated() {
    let database = FreshDatabase::create().await;
    let mut service = Service::start(Some(database.url()));
    assert!(service.report.contains("\n13 applied; "), "{}", service.report);
    let client = database.connect().await;

    let (status, body) = service.get("/healthz");
    assert_eq!(status, 200, "{body}");
    let health =
        "SELECT $1::text::jsonb = '{\"status\": \"ok\", \"migrations\": 13, \"pending\": 0}'";
    assert!(client.query_one(health, &[&body]).await.unwrap().get::<_, bool>(0), "{body}");

    let (status, body) = service.get("/migrations");
    assert_eq!(status, 200, "{body}");
    let rows = "SELECT count(*), count(*) FILTER (WHERE m->>'state' = 'applied' \
                AND (m->>'applied_at')::timestamptz BETWEEN now() - interval '1 minute' AND now() \
                AND m->>'applied_by' = session_user AND (m->>'duration_ms')::int >= 0) \
                FROM jsonb_array_elements($1::text::jsonb) AS m";
    let row = client.query_one(rows, &[&body]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (13_i64, 13_i64), "{body}");
    let first = "SELECT concat_ws(' ', m->>'version', m->>'name', m->>'file') \
                 FROM (SELECT $1::text::jsonb->0 AS m) AS first";
    let row = client.query_one(first, &[&body]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "001 create_rooms 001_create_rooms.sql");

    let (status, body) = service.get("/rooms");
    assert_eq!(status, 200, "{body}");
    let rooms =
        "SELECT jsonb_array_length(r), (r->1)::text FROM (SELECT $1::text::jsonb AS r) AS x";
    let row = client.query_one(rooms, &[&body]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 5);
    assert_eq!(
        row.get::<_, String>(1),
        "{\"room\": \"H1.02\", \"seats\": 8, \"building\": \"Harbour\", \
         \"equipment\": [\"screen\"], \"upcoming_bookings\": 0}"
    );
    assert_eq!(service.get("/nowhere").0, 404);
    assert_eq!(service.end_by("TERM").code(), Some(0));
}

#[tokio::test]
async fn health_tells_what_is_pending_and_that_the_database_is_back() {
    let database = FreshDatabase::create().await;
    let service = Service::start(Some(database.url()));
    let client = database.connect().await;
    client.batch_execute("DELETE FROM migration_ledger WHERE version = '013'").await.unwrap();
    let (status, body) = service.get("/healthz");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"status\":\"pending\"") && body.contains("\"pending\":1"), "{body}");
    let (status, body) = service.get("/migrations");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("\"state\":\"pending\""), "{body}");

    client.batch_execute("DELETE FROM migration_ledger WHERE version < '013'").await.unwrap();
    client.batch_execute("ALTER TABLE migration_ledger DROP COLUMN checksum").await.unwrap();
    let (status, body) = service.get("/healthz");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("is not a migration ledger"), "{body}");

    // No table is an empty ledger, so an answer of any kind shows that the connection is back.
    client.batch_execute("DROP TABLE migration_ledger").await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'boot-service'";
    assert_eq!(value(&client, cut).await, "t");
    let deadline = Instant::now() + LIMIT;
    while !service.get("/healthz").1.contains("\"pending\":13") {
        assert!(Instant::now() < deadline, "{:?}", service.get("/healthz"));
        thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn ready_while_ledger_and_set_agree() {
    let database = FreshDatabase::create().await;
    let service = Service::start(Some(database.url()));
    let client = database.connect().await;
    for path in ["/health/live", "/health/ready"] {
        let (status, body) = service.get(path);
        assert!(status == 200 && body.contains("\"status\":\"ok\""), "{path}: {status} {body}");
    }

    // A newer release has migrated, and this one still serves.
    let ahead = "INSERT INTO migration_ledger SELECT (jsonb_populate_record(l, \
                 '{\"version\": \"014\", \"filename\": \"014_x.sql\", \"position\": 14}')).* \
                 FROM migration_ledger l WHERE version = '013'";
    client.batch_execute(ahead).await.unwrap();
    assert_eq!(service.get("/health/ready").0, 200);

    client.batch_execute("DELETE FROM migration_ledger WHERE version >= '012'").await.unwrap();
    let (status, body) = service.get("/health/ready");
    assert_eq!(status, 503, "{body}");
    let files = "\"files\":[\"012_add_no_show.sql\",\"013_count_no_shows.sql\"]";
    assert!(body.contains("\"status\":\"pending\"") && body.contains(files), "{body}");

    let edit = "UPDATE migration_ledger SET checksum = 'other' WHERE version = '001'";
    client.batch_execute(edit).await.unwrap();
    let (status, body) = service.get("/health/ready");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"status\":\"drift\"") && body.contains("001_create_rooms"), "{body}");
    assert_eq!(service.get("/health/live").0, 200);
}

#[tokio::test]
async fn alive_but_not_ready_without_its_database() {
    let database = FreshDatabase::create().await;
    let service = Service::start(Some(database.url()));
    assert_eq!(service.get("/health/ready").0, 200);
    let maintenance = connect(&server().url().parse().unwrap()).await;
    let drop = format!("DROP DATABASE {} WITH (FORCE)", database.name());
    maintenance.batch_execute(&drop).await.unwrap();
    // The first answer may be that of the connection that was cut.
    let deadline = Instant::now() + LIMIT;
    loop {
        let (status, body) = service.get("/health/ready");
        assert_eq!(status, 503, "{body}");
        if body.contains("\"status\":\"unavailable\"") && body.contains("does not exist") {
            break;
        }
        assert!(Instant::now() < deadline, "{body}");
    }
    assert_eq!(service.get("/health/live").0, 200);
}

#[test]
fn a_signal_ends_it_and_its_server() {
    for signal in ["TERM", "INT"] {
        let mut service = Service::start(None);
        let (status, body) = service.get("/healthz");
        assert_eq!(status, 200, "{body}");
        assert!(!traces(service.child.id()).is_empty(), "a server of its own");
        // A client that keeps its connection must not keep the service.
        let idle = TcpStream::connect(&service.address).unwrap();
        assert_eq!(service.end_by(signal).code(), Some(0), "{signal}");
        assert_eq!(traces(service.child.id()), [""; 0], "{signal}");
        drop(idle);
        let mut rest = String::new();
        service.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "{signal}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_while_it_migrates() {
    let (database, client) = FreshDatabase::connected().await;
    // The migration's own CREATE TABLE has to wait for the end of this one.
    client.batch_execute("BEGIN; CREATE TABLE people (id int)").await.unwrap();
    let child = command(Some(database.url()), &["--once"]).spawn().unwrap();
    let pid = child.id();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database() AND application_name = 'boot-service'";
    let deadline = Instant::now() + LIMIT;
    let watch = database.connect().await;
    while value(&watch, waits).await == "0" {
        assert!(Instant::now() < deadline, "the migration does not wait");
    }
    let signalled = Command::new("kill").args(["-s", "TERM", &pid.to_string()]).status();
    assert!(signalled.unwrap().success());
    let ended = Ended::new(pid, child.wait_with_output().unwrap());
    ended.assert_code(1);
    assert!(ended.stderr.contains("\nstopped by a signal before all "), "{}", ended.stderr);

    client.batch_execute("ROLLBACK").await.unwrap();
    run(Some(database.url()), &["--once"]).assert_code(0);
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "13");
}
