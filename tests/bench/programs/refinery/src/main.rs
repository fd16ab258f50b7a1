//! refinery on tokio-postgres, as its documentation shows it.

mod embedded {
    refinery::embed_migrations!("migrations");
}

#[tokio::main]
async fn main() {
    let address = boot::Address::from_arguments().key_values();
    let mut boot = boot::Boot::begin();
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (mut client, connection) = connected.expect("a connection");
    tokio::spawn(connection);
    boot.connected();
    let report = embedded::migrations::runner().run_async(&mut client).await;
    let _ = report.unwrap_or_else(|error| panic!("{error}"));
    boot.migrated();
}
