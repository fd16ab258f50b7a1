//! How long a newcomer's first minute takes: the README's walk from `cargo new` to a migrated database, with nothing
//! built before and without a lock file. `cargo run -p migrate-tests --example walk`, on `DATABASE_URL` or the shared
//! throwaway server; prints the seconds of each command and its output. Needs a registry; packages that were
//! downloaded before are not downloaded again.

use std::error::Error;

use migrate_testing::TestDatabase;
use migrate_tests::walk::{Shell, Walk};

fn main() -> Result<(), Box<dyn Error>> {
    let database = TestDatabase::empty()?;
    let scratch = tempfile::tempdir()?;
    let walk = Walk::of_readme();
    let shell = Shell {
        folder: scratch.path(),
        url: database.url(),
        target: scratch.path().join("target"),
        environment: &[],
    };
    let went = walk.take(&shell, |_| {});
    for one in &went {
        println!("{:6.1} s  {}", one.took.as_secs_f64(), one.command);
        one.printed.lines().for_each(|line| println!("          {line}"));
    }
    let whole = went.iter().map(|one| one.took.as_secs_f64()).sum::<f64>();
    println!(
        "{whole:6.1} s  {} commands, {} lines, and a second run",
        walk.commands.len(),
        walk.lines()
    );
    Ok(())
}
