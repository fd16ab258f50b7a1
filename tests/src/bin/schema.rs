//! Writes the schema of real sets, runs it in an empty database, and compares the two.
//!
//! ```sh
//! cargo run -p migrate-tests --bin schema -- FOLDER ...
//! ```
//!
//! A file `FOLDER.before.sql` is run before. A folder that is no set, or that the server refuses, is left out with
//! its first mistake.

use std::fs;
use std::process::ExitCode;

use migrate_runtime::Migrator;
use migrate_runtime::schema::SchemaScope;
use migrate_runtime::source::from_folder;
use migrate_tests::both_ways::difference;
use migrate_tests::database::FreshDatabase;
use migrate_tests::folders::{Count, each};
use migrate_tests::schema_files::round_trip;
use migrate_tests::sets::lenient;

#[tokio::main]
async fn main() -> ExitCode {
    let mut differ = 0;
    let show = |name: &str, found| match found {
        Err(difference) => {
            differ += 1;
            println!("{name}: DIFFERS\n{difference}");
        }
        Ok(lines) => println!("{name}: same, {lines} lines"),
    };
    let Count { sets, left_out } = each(result, show).await;
    println!("{sets} sets: {differ} differ; {left_out} folders are left out");
    if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many lines the schema has, or in what the copy differs; else why there is none.
async fn result(folder: &str) -> Result<Result<usize, String>, String> {
    let set = from_folder(folder, &lenient()).map_err(|error| error.to_string())?;
    let (database, mut client) = FreshDatabase::connected().await;
    let before = fs::read_to_string(format!("{folder}.before.sql")).unwrap_or_default();
    client.batch_execute(&before).await.map_err(|error| error.to_string())?;
    Migrator::new(&set).run(&mut client).await.map_err(|error| error.to_string())?;
    let found = match round_trip(&database, &SchemaScope::new().with_grants()).await {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let pairs = [
        (found.text.clone(), found.text_again),
        (found.dump.unwrap_or_default(), found.dump_again.unwrap_or_default()),
    ];
    let differs = pairs.iter().find_map(|(one, other)| difference(one, other));
    Ok(differs.map_or_else(|| Ok(found.text.lines().count()), Err))
}
