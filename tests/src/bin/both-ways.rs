//! Applies real sets to a fresh database in both ways, with shared transactions and each migration in its own, and
//! compares error, report, ledger, schema and rows.
//!
//! ```sh
//! cargo run -p migrate-tests --bin both-ways -- FOLDER ...
//! ```
//!
//! Each run has a server of its own, so that a set can create roles. A file `FOLDER.before.sql` is run before. A
//! folder that is no set is left out with its first mistake.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use migrate_runtime::Migrations;
use migrate_runtime::source::from_folder;
use migrate_set::sql::sharing::Sharing;
use migrate_tests::both_ways::{Left, Way, difference, left};
use migrate_tests::database::FreshDatabase;
use migrate_tests::proof::first_line;
use migrate_tests::sets::lenient;

#[tokio::main]
async fn main() -> ExitCode {
    let (mut sets, mut differ, mut varies, mut refused) = (0, 0, 0, 0);
    for folder in std::env::args().skip(1) {
        let name =
            Path::new(&folder).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let set = match from_folder(&folder, &lenient()) {
            Ok(set) => set,
            Err(error) => {
                refused += 1;
                println!("{name}: no set: {}", first_line(&error));
                continue;
            }
        };
        sets += 1;
        let before = fs::read_to_string(format!("{folder}.before.sql")).unwrap_or_default();
        let left = async |way| left(FreshDatabase::on_own_server().await, &set, way, &before).await;
        let (shared, apart) = (left(Way::Shared).await, left(Way::Apart).await);
        let mut found = compare(&shared, &apart);
        // Random numbers in rows, and numbers by an order that no statement gives.
        if found.is_some() && compare(&left(Way::Apart).await, &apart).is_some() {
            (varies, found) = (varies + 1, None);
        }
        differ += usize::from(found.is_some());
        println!("{name}: {}", summary(&set, &shared, found.as_deref()));
    }
    println!(
        "{sets} sets: {differ} differ, {varies} do so in one way too; {refused} folders are no set"
    );
    if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In what the two ways differ.
fn compare(shared: &Left, apart: &Left) -> Option<String> {
    let pairs = [
        (shared.error.clone().unwrap_or_default(), apart.error.clone().unwrap_or_default()),
        (shared.applied.join(" "), apart.applied.join(" ")),
        (shared.events.join(" "), apart.events.join(" ")),
        (shared.ledger.clone(), apart.ledger.clone()),
        (shared.dump.clone(), apart.dump.clone()),
    ];
    pairs.iter().find_map(|(one, other)| difference(one, other))
}

fn summary(set: &Migrations, shared: &Left, found: Option<&str>) -> String {
    let count = |sharing: Sharing| set.iter().filter(|one| one.up().sharing() == sharing).count();
    let kinds = [Sharing::Shares, Sharing::Last, Sharing::Alone, Sharing::Ends].map(count);
    let ended = shared.error.as_ref().and_then(|error| error.lines().next()).unwrap_or("applied");
    let same = found.map_or("same".to_owned(), |found| format!("DIFFERS\n{found}"));
    let (applied, transactions) = (shared.applied.len(), shared.transactions);
    format!("{kinds:?}, {applied} in {transactions} transactions, {ended}: {same}")
}
