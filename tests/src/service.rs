//! The main function of a service with the arguments `run|verify|rollback <address>`, for processes of
//! two versions. It prints the report or the error. `rollback` goes back to the set's newest version.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use migrate_runtime::{Migrations, Migrator, Rollback};
use tokio_postgres::NoTls;

/// Runs the verb that the arguments name.
pub fn main(set: &Migrations) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(act(set)));
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn act(set: &Migrations) -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [verb, address] = arguments.as_slice() else {
        return Err("give a verb and an address".into());
    };
    let (mut client, connection) = tokio_postgres::connect(address, NoTls).await?;
    tokio::spawn(connection);
    let migrator = Migrator::new(set);
    match verb.as_str() {
        "run" => Ok(migrator.run(&mut client).await?.to_string()),
        "verify" => {
            migrator.verify(&client).await?;
            Ok("nothing pending".to_owned())
        }
        "rollback" => {
            let newest =
                set.iter().map(|one| one.version().as_str()).next_back().ok_or("an empty set")?;
            let target = Rollback::to(newest);
            Ok(migrator.rollback(&mut client, target).await?.to_string())
        }
        other => Err(format!("no verb is called {other}").into()),
    }
}
