//! Counts the messages of a session, cut out of its stream of bytes.
//! Bytes go in, in whatever pieces they come; the type and the length of each message come out. Bodies
//! are skipped, not kept: counting must not delay what it counts.

/// What went through a proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages of clients that make the server answer `ReadyForQuery`: `Query`, `Sync` and
    /// `FunctionCall`. Each is a turn that its client waits for.
    pub turns: u64,
    /// All messages of clients but those of a session's beginning (passwords) and end (`Terminate`).
    pub messages: u64,
    /// Bytes of those messages.
    pub up_bytes: u64,
    /// Bytes of the server after each session's first `ReadyForQuery`.
    pub down_bytes: u64,
}

impl Traffic {
    /// Takes a client's message of this type and length.
    pub(super) fn count_frontend(&mut self, tag: u8, length: u64) {
        if matches!(tag, b'p' | b'X') {
            return;
        }
        self.turns += u64::from(matches!(tag, b'Q' | b'S' | b'F'));
        self.messages += 1;
        self.up_bytes += length;
    }
}

/// Cuts a stream into messages: a type byte, a length that counts itself but not the type, the body.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    head: Vec<u8>,
    /// How much of the current message's body is still to come.
    left: usize,
}

impl Splitter {
    /// Shows type and whole length of each message that begins in these bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8], show: &mut impl FnMut(u8, u64)) {
        loop {
            let skipped = self.left.min(bytes.len());
            bytes = &bytes[skipped..];
            self.left -= skipped;
            let missing = (5 - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            let [tag, a, b, c, d] = self.head[..] else { return };
            let length = u32::from_be_bytes([a, b, c, d]);
            show(tag, u64::from(length) + 1);
            self.left = length.saturating_sub(4) as usize;
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Q` "SELECT 1", `S`, `P` with a name, `X`.
    const STREAM: &[u8] =
        b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04P\0\0\0\x12name\0SELECT\0\0\0X\0\0\0\x04";

    #[test]
    fn messages_are_counted_however_the_stream_is_cut() {
        let expected = Traffic { turns: 2, messages: 3, up_bytes: 14 + 5 + 19, down_bytes: 0 };
        for size in 1..=STREAM.len() {
            let (mut splitter, mut seen) = (Splitter::default(), Traffic::default());
            for chunk in STREAM.chunks(size) {
                splitter.push(chunk, &mut |tag, length| seen.count_frontend(tag, length));
            }
            assert_eq!(seen, expected, "chunks of {size}");
        }
    }
}
