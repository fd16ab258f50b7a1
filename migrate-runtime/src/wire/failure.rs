//! What stopped a message, and where.

use tokio_postgres::{Client, Error};

use super::exchange::query;
use super::message::{Blamed, Message, Part, Piece, Unit};

/// What stopped a message.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The part that failed; `None` if the connection broke before or after all of them.
    pub(crate) part: Option<Part>,
    /// The byte within the part's statement that the server points at.
    pub(crate) offset: Option<usize>,
    /// Both for a server whose positions count bytes, if that differs.
    in_bytes: Option<Blamed>,
    /// The error itself.
    pub(crate) error: Error,
}

impl Failure {
    pub(super) fn new(message: &Message, piece: &Piece, completed: usize, error: Error) -> Self {
        let blamed = |unit| message.blame(piece, completed, &error, unit);
        let (found, in_bytes) = (blamed(Unit::Characters), blamed(Unit::Bytes));
        let (part, offset) = found.map_or((None, None), |(part, offset)| (Some(part), offset));
        Failure { part, offset, in_bytes: in_bytes.filter(|_| in_bytes != found), error }
    }

    /// The same with the place that the server means, which is asked for its encoding if that matters; outside
    /// a transaction.
    pub(crate) async fn placed(mut self, client: &Client) -> Self {
        let Some(in_bytes) = self.in_bytes.take() else { return self };
        let answer = query(client, "SHOW server_encoding").await.ok().flatten();
        let encoding = answer.as_ref().and_then(|row| row.try_get(0).ok().flatten());
        (self.part, self.offset) = place((self.part, self.offset), in_bytes, encoding);
        self
    }
}

/// Of a place in characters and the one in bytes, that which a server of this encoding means; without its answer, what
/// both have in common.
fn place(
    (part, offset): (Option<Part>, Option<usize>),
    in_bytes: Blamed,
    encoding: Option<&str>,
) -> (Option<Part>, Option<usize>) {
    match encoding {
        Some("SQL_ASCII") => (Some(in_bytes.0), in_bytes.1),
        Some(_) => (part, offset),
        None => (part.filter(|part| *part == in_bytes.0), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_without_the_answer_of_the_server_is_what_both_have_in_common() {
        let statement = |index| Part::Statement { step: 0, index };
        let check = |encoding, in_bytes: Blamed, expected| {
            let in_characters = (Some(statement(0)), Some(8));
            assert_eq!(place(in_characters, in_bytes, encoding), expected);
        };
        let (same, other) = ((statement(0), Some(5)), (statement(1), Some(0)));
        check(Some("UTF8"), other, (Some(statement(0)), Some(8)));
        check(Some("SQL_ASCII"), other, (Some(statement(1)), Some(0)));
        check(None, same, (Some(statement(0)), None));
        check(None, other, (None, None));
    }
}
