//! Decides whether two scripts are equal, by the digest of a canonical text that ignores comments,
//! white space, line endings and a byte order mark. Case is significant.

mod canonical;

use std::fmt;

use sha2::{Digest, Sha256};

pub use canonical::canonical_text;

/// The name of the algorithm, as stored in the ledger.
pub const ALGORITHM: &str = "sha256-canonical-1";

/// SHA-256 of a script's canonical text; displayed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// A checksum from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Checksum {
        Checksum(bytes)
    }

    /// The checksum that is displayed as `text`.
    pub fn read(text: &str) -> Option<Checksum> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| (0..=u8::MAX).find(|byte| digits(*byte) == *pair);
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        let bytes: [u8; 32] = bytes.filter(|_| rest.is_empty())?.try_into().ok()?;
        Some(Checksum(bytes))
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `text` is how it is displayed. Does not allocate, because every boot calls it for
    /// every migration.
    pub fn is_written(&self, text: &str) -> bool {
        let (pairs, _) = text.as_bytes().as_chunks();
        text.len() == 64 && pairs.iter().zip(self.0).all(|(pair, byte)| *pair == digits(byte))
    }
}

/// The digits of each byte, as a table because a boot with 1,000 migrations compares 32,000 bytes.
const DIGITS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The digits of a byte.
fn digits(byte: u8) -> [u8; 2] {
    DIGITS[usize::from(byte)]
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<[u8; 2]> = bytes.iter().map(|&byte| digits(byte)).collect();
    String::from_utf8(pairs.into_flattened()).unwrap_or_default()
}

/// SHA-256 of a text as it is, as lower-case hexadecimal digits.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_text_is_how_a_checksum_is_written() {
        let text = sha256("abc"); // FIPS 180-4
        assert!(text.starts_with("ba7816bf8f01cfea"), "{text}");
        let checksum = Checksum::from_bytes(Sha256::digest("abc").into());
        assert_eq!(checksum.to_string(), text);
        assert!(checksum.is_written(&text));
        assert_eq!(Checksum::read(&text), Some(checksum));
        let (upper, longer, other) =
            (text.to_uppercase(), format!("{text}00"), text.replace('f', "e"));
        for other in ["", "ba", &text[1..], &upper, &longer, &other] {
            assert!(!checksum.is_written(other), "{other}");
            assert_ne!(Checksum::read(other), Some(checksum), "{other}");
        }
    }
}
