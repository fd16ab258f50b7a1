//! Decodes the bytes of one file, and notes what the text does not keep of its line endings.

use migrate_set::location::{narrow, position};

use super::{Problem, SourceError, characters};

/// Decodes UTF-8, removes a byte order mark, refuses NUL, and changes every line ending to LF.
pub(crate) fn decode(shown: &str, bytes: &[u8]) -> Result<String, SourceError> {
    if let Some(problem) = characters::of_file(bytes) {
        return Err(SourceError::of_file(shown, problem));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => unix_lines(text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let good = unix_lines(&good);
            let at = position(&good, good.len());
            return Err(SourceError::at(shown, Some(at), None, Problem::NotUtf8));
        }
    };
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err(SourceError::at(shown, Some(position(&text, at)), None, Problem::NulByte)),
    }
}

fn unix_lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// The offsets in the decoded text of the line feeds that have a carriage return, if others have none: the
/// checksums of other tools need them.
pub(super) fn returns(bytes: &[u8]) -> Vec<u32> {
    // Checked first, because it is cheap and few files have any.
    if !bytes.contains(&b'\r') {
        return Vec::new();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut returns = Vec::new();
    let mut lines = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        lines += 1;
        if bytes[..at].ends_with(b"\r") {
            returns.push(narrow(at - returns.len() - 1));
        }
    }
    if returns.len() < lines { returns } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use migrate_set::set::{Script, TransactionMode};
    use migrate_set::sql::kind::SessionEffect;

    use super::*;

    /// Whether the text with its returns is the file again.
    #[test]
    fn mixed_line_endings_can_be_restored() {
        let check = |bytes: &[u8], expected: Option<&str>| {
            let text = decode("1_a.sql", bytes).expect("a text");
            let script = Script::new(
                "1_a.sql",
                text,
                Vec::new(),
                Vec::new(),
                TransactionMode::Transactional,
                SessionEffect::Keeps,
            );
            let script = script.with_returns(returns(bytes));
            assert_eq!(script.with_mixed_lines().as_deref(), expected);
        };
        check(b"a;\r\nb;\n", Some("a;\r\nb;\n"));
        check(b"\n\r\n\r\n", Some("\n\r\n\r\n"));
        check(b"\xef\xbb\xbfa;\n\r\n", Some("a;\n\r\n"));
        for alike in [&b"a;\nb;\n"[..], b"a;\r\nb;\r\n", b"a;", b""] {
            check(alike, None);
        }
    }
}
