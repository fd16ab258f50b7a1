//! What the tests of this workspace share: a server, a database for each test
//! ([`database::FreshDatabase`]), and a proxy that counts messages ([`proxy::CountingProxy`]). Without
//! a server every test fails with a text that names how to install one; none is skipped.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test without its server or its database can only fail"
)]

pub mod both_ways;
pub mod cargo;
pub mod cluster;
pub mod database;
pub mod proof;
pub mod fault;
pub mod folders;
pub mod furnished;
#[cfg(doctest)]
#[doc(test(attr(deny(unused_imports))))]
mod guides;
#[cfg(doctest)]
mod pages;
pub mod pooler;
pub mod predecessors;
pub mod proxy;
pub mod role;
pub mod router;
pub mod schema_files;
pub mod service;
pub mod sets;
pub mod static_schema;
pub mod walk;
