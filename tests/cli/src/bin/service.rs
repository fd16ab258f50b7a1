//! A service as a user writes one: its own subcommands next to the verbs, and the same options of the
//! connection for both.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use migrate_cli::{Args, Connection};
use migrate_runtime::{Migrations, Migrator, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("migrations");
static LIBRARY: Migrations = embed_migrations!("library", module = "library");

/// Keeps notes
#[derive(Parser)]
#[command(name = "service")]
struct Cli {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Counts the notes
    Count,
    /// Migrates the database that only the service knows
    Known(Args),
    /// Migrates the library's tables first
    Both(Args),
    /// Migrates with the service's own connection
    Own(Args),
    /// Shows and changes the database's schema
    Migrate(Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let migrator = Migrator::new(&MIGRATIONS).table("service_ledger");
    match cli.command {
        Command::Migrate(args) => args.run(migrator).await,
        Command::Known(mut args) => {
            if args.needs_database() {
                args = args.database_url(std::env::var("SERVICE_DATABASE").unwrap_or_default());
            }
            args.run(migrator).await
        }
        Command::Both(args) => {
            args.run([Migrator::new(&LIBRARY).table("service_ledger"), migrator]).await
        }
        Command::Own(args) => match cli.connection.connect().await {
            Ok(mut client) => args.run_on(migrator, &mut client).await,
            Err(error) => failed(&error),
        },
        Command::Count => match count(&cli.connection).await {
            Ok(notes) => {
                println!("{notes} notes");
                ExitCode::SUCCESS
            }
            Err(error) => failed(&*error),
        },
    }
}

async fn count(connection: &Connection) -> Result<i64, Box<dyn std::error::Error>> {
    let client = connection.connect().await?;
    Ok(client.query_one("SELECT count(*) FROM notes", &[]).await?.get(0))
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
