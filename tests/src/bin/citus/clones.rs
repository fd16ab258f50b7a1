//! Databases of tests, which are clones of a template with Citus in it.

use std::env;
use std::process::{Command, ExitCode};

use migrate_testing::TestDatabase;
use migrate_tests::database::value;
use migrate_tests::sets::set;

use super::Verdicts;
use super::setup::Nodes;

/// The argument of the process that uses them: their server is that of its `DATABASE_URL`.
pub const CHILD: &str = "clones-of-a-template";

pub fn prove(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut child = Command::new(env::current_exe().expect("our own executable"));
    let output = child.arg(CHILD).env("DATABASE_URL", nodes.coordinator.address("postgres"));
    let output = output.output().expect("our own executable");
    let seen = String::from_utf8_lossy(&output.stdout);
    verdicts.add("databases of tests, single node", output.status.success(), seen.trim());
}

/// Makes three databases with a distributed table, and changes the rows of one.
pub async fn child() -> ExitCode {
    let set = set(&[
        ("1_e.sql", "CREATE EXTENSION citus;"),
        (
            "2_t.sql",
            "CREATE TABLE t (a int PRIMARY KEY);\nSELECT create_distributed_table('t', 'a');\n\
             INSERT INTO t SELECT generate_series(1, 50);\nCREATE INDEX ON t (a);",
        ),
    ]);
    let mut counts = Vec::new();
    for first in [1, 0, 0] {
        let database = match TestDatabase::new(&set) {
            Ok(database) => database,
            Err(error) => {
                println!("{error}");
                return ExitCode::FAILURE;
            }
        };
        let client = database.connect().await.expect("a client of a clone");
        let delete = format!("DELETE FROM t WHERE a <= {first}");
        client.batch_execute(&delete).await.expect("rows of a clone");
        counts.push(value(&client, "SELECT count(*) FROM t").await);
    }
    println!("3 clones with {} rows", counts.join(", "));
    if counts == ["49", "50", "50"] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
