//! What the tests of this workspace share: a server, databases of one test each, and a proxy that counts.
//! Tests take a [`database::FreshDatabase`] and, where messages matter, a [`proxy::CountingProxy`].
//! Nothing here is skipped for want of a server: without one every test fails and says how to get one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test without its server or its database can only fail"
)]

pub mod cargo;
pub mod cluster;
pub mod database;
pub mod proof;
pub mod fault;
pub mod furnished;
#[cfg(doctest)]
mod guides;
#[cfg(doctest)]
mod pages;
pub mod pooler;
pub mod predecessors;
pub mod proxy;
pub mod role;
pub mod service;
pub mod sets;
