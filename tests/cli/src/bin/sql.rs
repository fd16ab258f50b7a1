//! Runs its arguments as statements on the database of `DATABASE_URL`: what a transcript does behind
//! the command line's back.

use migrate_cli::Connection;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Connection::default().connect().await?;
    for statement in std::env::args().skip(1) {
        client.batch_execute(&statement).await?;
    }
    Ok(())
}
