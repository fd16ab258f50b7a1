//! Tests that run real programs: the examples, two releases of a service, and processes that die.

mod boot_service;
mod examples;
mod infrastructure;
mod older_binary;
mod test_databases;
