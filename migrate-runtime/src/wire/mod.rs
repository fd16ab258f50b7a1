//! Sends messages of several statements, counts them, and finds out which statement an outcome belongs to.
//! It knows neither ledger nor plan.

mod message;
mod exchange;
mod pooler;

pub(crate) use exchange::{Failure, OnDrop, OnPart, Outcome, Wire};
pub use exchange::{query, rows};
pub(crate) use message::{
    BEGIN, BEGIN_WHATEVER, BUSY, DEADLINE, ENCODING, ENDED, ESCAPES, LOST, MOVED, Message, Part,
    is_of_a_check, is_others_doing,
};
