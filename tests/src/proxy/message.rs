//! Splits the bytes of one direction of a session into messages, and reads their SQL. The start-up
//! packet, which has no type byte, is not handled here.

use std::io;

/// One message of the frontend after its start-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The type byte: `Q` simple query, `P` parse, `B` bind, `E` execute, `S` sync, ...
    pub tag: char,
    /// The SQL of a `Q` or `P`, else empty.
    pub sql: String,
}

impl Message {
    /// Reads a message of the frontend; `None` for those of a session's start (`p`) and end (`X`).
    pub(super) fn read(tag: u8, body: &[u8]) -> Option<Message> {
        let sql = match tag {
            b'p' | b'X' => return None,
            b'Q' => until_nul(body),
            // The statement's name and a NUL come first.
            b'P' => body.splitn(2, |byte| *byte == 0).nth(1).map_or_else(String::new, until_nul),
            _ => String::new(),
        };
        Some(Message { tag: char::from(tag), sql })
    }
}

fn until_nul(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Splits a stream into messages: a type byte, a length that includes itself but not the type, the body.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    pending: Vec<u8>,
}

impl Splitter {
    /// Passes on each message that these bytes complete, and keeps the beginning of the next.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        show: &mut impl FnMut(u8, &[u8]),
    ) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        let mut rest = self.pending.as_slice();
        while let [tag, a, b, c, d, after @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]);
            let body = length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
            let Some((body, next)) =
                usize::try_from(body).ok().and_then(|body| after.split_at_checked(body))
            else {
                break;
            };
            show(*tag, body);
            rest = next;
        }
        self.pending = rest.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Q` "SELECT 1", `S`, `P` with a name, `X`.
    const STREAM: &[u8] =
        b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04P\0\0\0\x12name\0SELECT\0\0\0X\0\0\0\x04";

    fn seen_in(chunks: impl Iterator<Item = &'static [u8]>) -> Vec<Message> {
        let mut seen = Vec::new();
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter
                .push(chunk, &mut |tag, body| {
                    seen.extend(Message::read(tag, body));
                })
                .unwrap();
        }
        assert!(splitter.pending.is_empty());
        seen
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut() {
        let message = |tag, sql: &str| Message { tag, sql: sql.to_owned() };
        let expected = vec![message('Q', "SELECT 1"), message('S', ""), message('P', "SELECT")];
        for size in 1..=STREAM.len() {
            assert_eq!(seen_in(STREAM.chunks(size)), expected, "chunks of {size}");
        }
    }

    #[test]
    fn a_length_below_its_own_size_is_refused() {
        let refused = Splitter::default().push(b"Q\0\0\0\x03", &mut |_, _| {});
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
