//! The way of the replicas to the server: directly, or through a PgBouncer.

use migrate_runtime::Lock;

use crate::cluster::Cluster;
use crate::pooler::{PoolMode, Pooler};

/// The way to one database.
#[derive(Debug)]
pub struct Entrance {
    database: String,
    pooler: Option<Pooler>,
}

impl Entrance {
    /// Through a pooler with `size` connections to this server if there is a mode.
    ///
    /// # Panics
    ///
    /// When the pooler does not start.
    pub async fn open(
        server: &Cluster,
        database: &str,
        mode: Option<PoolMode>,
        size: usize,
    ) -> Entrance {
        let pooler = match mode {
            Some(mode) => Some(Pooler::start(&server.config(database), mode, size).await),
            None => None,
        };
        let pooler = pooler.transpose().unwrap_or_else(|problem| panic!("{problem}"));
        Entrance { database: database.to_owned(), pooler }
    }

    /// The address for the replicas, if this is the server.
    pub fn address(&self, server: &Cluster) -> String {
        let direct = || server.address(&self.database);
        self.pooler.as_ref().map_or_else(direct, |pooler| pooler.url(&self.database))
    }

    /// Replaces the server of the pooler, if there is one, by this.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn lead_to(&self, server: &Cluster) {
        if let Some(pooler) = &self.pooler {
            pooler.replace_server(&server.config(&self.database)).expect("another server");
        }
    }
}

/// The lock of the replicas: with a pooler the one with which migrations run outside a transaction.
pub fn lock(mode: Option<PoolMode>, of_server: Lock) -> Lock {
    match mode {
        None => of_server,
        Some(PoolMode::Session) if of_server != Lock::Row => Lock::Advisory,
        Some(_) => Lock::Row,
    }
}
