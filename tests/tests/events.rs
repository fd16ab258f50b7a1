//! What a run says to `tracing`. It has a process of its own: another test's thread, which listens to
//! nothing, could have the events switched off for good before this one listens.

use migrate_runtime::Migrator;
use migrate_tests::database::FreshDatabase;
use migrate_tests::sets::set;

/// Keeps what is said while it listens.
#[derive(Clone, Default)]
struct Listener(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the listener").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn runs_are_told_to_tracing() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let listener = Listener::default();
    let writer = listener.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let set = set(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    Migrator::new(&set).run(&mut client).await.expect("a run");
    let said = String::from_utf8(listener.0.lock().expect("the listener").clone()).expect("UTF-8");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("migrate_runtime")).collect();
    assert!(lines[0].contains("migration applied version=\"1\" name=\"a\" ms="), "{said}");
    let end = "migrations are up to date applied=1 skipped=0 messages=2";
    assert!(lines[1].ends_with(end), "{said}");
}
