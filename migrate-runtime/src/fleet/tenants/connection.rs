//! A client from a pool, of any crate: their types differ only in the number of dereferences that lead to
//! the client.

use std::ops::DerefMut;

use tokio_postgres::Client;

/// Dereferences to a client; the compiler infers `Depth`, which keeps the implementations apart.
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
