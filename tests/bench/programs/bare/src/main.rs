//! No library: the text of standard input as one message in one transaction. What others add to the
//! size of a binary, and to the time that the server needs, is counted from here.

use std::io::Read;

#[tokio::main]
async fn main() {
    let address = boot::Address::from_arguments().key_values();
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("the text");
    let text = format!("BEGIN;\n{text}\nCOMMIT;\n");
    let mut boot = boot::Boot::begin();
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("a connection");
    tokio::spawn(connection);
    boot.connected();
    let applied = client.batch_execute(&text).await;
    applied.unwrap_or_else(|error| panic!("{error}"));
    boot.migrated();
}
