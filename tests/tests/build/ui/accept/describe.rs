//! Describes the contents of each set.
#![deny(warnings)]
#![deny(clippy::pedantic)]

use migrate_runtime::set::{Ends, Script, TransactionMode};
use migrate_runtime::Migrations;

/// One line per migration: version, name, up, down.
fn describe(name: &str, set: &Migrations) {
    println!("== {name}\n{}", set.layout());
    for migration in set {
        print!("{} [{}]", migration.version(), migration.name());
        print!(" up: {}", script(migration.up()));
        match migration.down() {
            None => println!(),
            Some(down) => println!(" down: {}", script(down)),
        }
    }
}

/// The statements, and whether they run without a transaction.
fn script(script: &Script) -> String {
    let statements = script.statements().map(|(start, end)| &script.text()[start..end]);
    let statements: Vec<String> =
        statements.map(|statement| statement.replace('\n', "\\n")).collect();
    let mode = match script.transaction() {
        TransactionMode::Transactional => "",
        TransactionMode::NonTransactional => "!",
    };
    let ends = match script.ends() {
        Ends::WithSql => "",
        Ends::WithFunction => " and a function",
    };
    format!("{mode}{statements:?}{ends}")
}
