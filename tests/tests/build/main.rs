//! Tests that build cargo projects with the macro in them, as a user's crate would.

mod history;
mod readme;
mod rebuild;
mod scratch;
mod ui;
