//! Sends messages of several statements, counts them, and finds the statement that each outcome belongs to.

mod message;
mod failure;
mod on_drop;
mod exchange;
mod copy;
mod pooler;

pub(crate) use copy::{Copy, SEND_DATA, SendData};
pub(crate) use exchange::{OnPart, Outcome, Wire};
pub use exchange::{query, rows};
pub(crate) use failure::Failure;
pub(crate) use message::{
    BEGIN, BEGIN_EXPLICIT, BUSY, DEADLINE, ENCODING, ENDED, ESCAPES, IN_FAILED_TRANSACTION, LOST,
    MOVED, Message, Part, is_conflict, is_of_a_check, is_unanswered,
};
pub(crate) use on_drop::OnDrop;
pub use pooler::process;
pub(crate) use pooler::{ends_unknown, was_never_sent};
