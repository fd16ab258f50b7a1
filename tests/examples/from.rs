//! Takes over a database from another tool, and applies what that tool had not applied.
//! `-- TOOL`, one of `predecessors`; the database is made for it, on the
//! server of `DATABASE_URL` or on a throwaway one, and dropped.
//! For Xyn `XYN_REQUIRED_MIGRATIONS` lists what has to be applied when it is done.

use std::env;
use std::process::ExitCode;

use migrate_runtime::{Error, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::{ALL, Predecessor};
use tokio_postgres::Client;

/// Its defaults are those of Xyn's guide.
const REQUIRED: &str = "XYN_REQUIRED_MIGRATIONS";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    let Some(from) = Predecessor::named(&name) else {
        let names: Vec<&str> = ALL.iter().map(|one| one.name).collect();
        eprintln!("`{name}` is none of {}\nhelp: name one of them after `--`", names.join(", "));
        return ExitCode::from(2);
    };
    let (_database, mut client) = FreshDatabase::connected().await;
    from.leave(&client).await;
    match take_over(from, &mut client).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn take_over(from: &Predecessor, client: &mut Client) -> Result<(), Error> {
    let table = from.table();
    let rows = value(client, &format!("SELECT count(*) FROM {table}")).await;
    println!("{} left {rows} rows in {table}\n", from.tool.name());
    let migrator = Migrator::new(from.set);
    println!("{}\n", migrator.adopt(client, from.adoption()).await?);
    println!("{}\n", migrator.run(client).await?);
    if from.name == "xyn" {
        let required = env::var(REQUIRED).unwrap_or_else(|_| "001_initial_schema".to_owned());
        migrator.require_applied(client, required.split(',')).await?;
    }
    println!("{}", migrator.status(client).await?);
    Ok(())
}
