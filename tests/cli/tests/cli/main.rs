//! The command line on a terminal, over TLS, and in transcripts of every verb.

mod cluster;
mod convert;
mod databases;
mod deploy;
mod running;
mod terminal;
mod tls;
mod transcripts;
