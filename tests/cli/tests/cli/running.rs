//! A run of the command line that receives a signal while its migration sleeps.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use migrate_tests::database::value;
use tokio_postgres::Client;

/// The time limit for what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Counts the sessions of the database that sleep.
pub(crate) const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                                   AND datname = current_database()";

pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(mut command: Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().expect("a run"))
    }

    pub(crate) async fn wait_for_sleep(&self, client: &Client) {
        self.wait_for(client, SLEEPING).await;
    }

    /// Waits until a query does not return 0.
    pub(crate) async fn wait_for(&self, client: &Client, count: &str) {
        let begun = Instant::now();
        while value(client, count).await == "0" {
            assert!(begun.elapsed() < LIMIT, "always 0: {count}");
        }
    }

    /// The exit code and the output after `signal`.
    pub(crate) fn end_by(self, signal: &str) -> (Option<i32>, String) {
        let pid = self.0.id().to_string();
        let killed = Command::new("kill").args(["-s", signal, &pid]).status().expect("kill");
        assert!(killed.success());
        let output = self.0.wait_with_output().expect("an end");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        (output.status.code(), text)
    }
}
