//! A coordinator of Citus with its workers, and databases in all of them.

use std::env;
use std::path::PathBuf;

use migrate_runtime::{Error, Migrations, Migrator, Report};
use migrate_tests::cluster::{Cluster, Installation};
use migrate_tests::database::{connect, value};
use tokio_postgres::Client;

/// How many workers there are.
const WORKERS: usize = 2;

/// Two-phase commits need prepared transactions, and each node opens connections to the others.
const SETTINGS: [&str; 4] = [
    "shared_preload_libraries=citus",
    "wal_level=logical",
    "max_prepared_transactions=200",
    "citus.enable_statistics_collection=off",
];

/// The folder in `CITUS_BIN`; `None` without a server in it.
pub fn binaries() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("CITUS_BIN")?);
    folder.join("postgres").is_file().then_some(folder)
}

/// A coordinator and its workers.
pub struct Nodes {
    pub coordinator: Cluster,
    pub workers: Vec<Cluster>,
}

impl Nodes {
    pub fn start(bin: &std::path::Path) -> Nodes {
        let node = || {
            let mut cluster = Cluster::of(Installation::at(bin.to_owned()));
            for setting in SETTINGS {
                cluster.set(setting);
            }
            let host = cluster.host().display().to_string();
            cluster.set(&format!("citus.local_hostname={host}"));
            cluster.start();
            cluster
        };
        Nodes { coordinator: node(), workers: (0..WORKERS).map(|_| node()).collect() }
    }

    /// A database with Citus on the coordinator, which holds all shards itself.
    pub async fn alone(&self, name: &str) -> Client {
        let client = database(&self.coordinator, name).await;
        let host = self.coordinator.host().display();
        run(&client, &format!("SELECT citus_set_coordinator_host('{host}', 5432)")).await;
        run(&client, "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node").await;
        client
    }

    /// A database with Citus on all nodes.
    pub async fn spread(&self, name: &str) -> Client {
        let client = database(&self.coordinator, name).await;
        let host = self.coordinator.host().display();
        run(&client, &format!("SELECT citus_set_coordinator_host('{host}', 5432)")).await;
        for worker in &self.workers {
            drop(database(worker, name).await);
            let host = worker.host().display();
            run(&client, &format!("SELECT citus_add_node('{host}', 5432)")).await;
        }
        client
    }

    /// Another session of a database on the coordinator.
    pub async fn client(&self, name: &str) -> Client {
        connect(&self.coordinator.config(name)).await
    }

    /// A database of all nodes in which each new schema is one of a tenant.
    pub async fn tenants(&self, name: &str) -> Client {
        let client = self.spread(name).await;
        let on = format!("ALTER DATABASE {name} SET citus.enable_schema_based_sharding = on");
        run(&client, &on).await;
        self.client(name).await
    }
}

async fn database(cluster: &Cluster, name: &str) -> Client {
    let client = connect(&cluster.config("postgres")).await;
    run(&client, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    let client = connect(&cluster.config(name)).await;
    run(&client, "CREATE EXTENSION citus").await;
    client
}

/// Runs SQL that has to succeed.
pub async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// Migrates.
pub async fn migrate(set: &Migrations, client: &mut Client) -> Result<Report, Error> {
    Migrator::new(set).run(client).await
}

/// The first two lines of an error, or that there is none.
pub fn how_it_ended<T>(result: &Result<T, Error>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string().lines().take(2).collect::<Vec<_>>().join(" / "),
    }
}

/// How many migrations the ledger has.
pub async fn entries(client: &Client) -> usize {
    let sql = "SELECT count(*) FROM migration_ledger WHERE ended_position = 0 AND progress IS NULL";
    value(client, sql).await.parse().expect("a count")
}
