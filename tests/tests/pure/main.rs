//! Tests that need no server: the rules of sets, names, SQL and plans, and whether the pages agree with the sources.

mod catalogue;
mod create;
mod messages;
mod origins;
mod pages;
mod plans;
mod properties;
mod replace;
mod splitter;
mod surface;
