//! The command line as its users meet it: on a terminal, over TLS, and in transcripts of every verb.

mod terminal;
mod tls;
mod transcripts;
