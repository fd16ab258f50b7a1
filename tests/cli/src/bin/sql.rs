//! Runs its arguments as statements on the database of `DATABASE_URL`, for what a transcript does without
//! the command line.

use migrate_cli::Connection;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Connection::default().connect().await?;
    for statement in std::env::args().skip(1) {
        client.batch_execute(&statement).await?;
    }
    Ok(())
}
