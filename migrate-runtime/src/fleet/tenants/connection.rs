//! What counts as a client that a pool hands out. No pool is named: what they hand out differs only in how
//! many steps lead to the client.

use std::ops::DerefMut;

use tokio_postgres::Client;

/// Leads to a client; `Depth` is found by the compiler, and keeps the implementations apart.
pub trait AsClient<Depth> {
    /// The client.
    fn client(&mut self) -> &mut Client;
}

/// One step: bb8's `PooledConnection`, a `Box<Client>`.
#[derive(Debug)]
pub enum OneStep {}

/// Two steps: deadpool's `Object`, around its own wrapper.
#[derive(Debug)]
pub enum TwoSteps {}

impl<C: DerefMut<Target = Client>> AsClient<OneStep> for C {
    fn client(&mut self) -> &mut Client {
        self
    }
}

impl<C> AsClient<TwoSteps> for C
where
    C: DerefMut<Target: DerefMut<Target = Client>>,
{
    fn client(&mut self) -> &mut Client {
        self
    }
}
