//! Decides whether two scripts are equal, by the digest of a canonical text that ignores comments,
//! white space, line endings and a byte order mark. Case is significant.

mod canonical;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

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

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&digits(byte));
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a checksum of 64 hexadecimal digits")]
pub struct ParseChecksumError(String);

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseChecksumError(text.to_owned());
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = &text[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Checksum(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_read_back() {
        let text = "4c6d6ddcac39e7372a7845140bd4f39c096fc5ae07071962c124dcd60e85587f";
        let checksum = text.parse::<Checksum>().unwrap();
        assert_eq!(checksum.to_string(), text);
        assert!(checksum.is_written(text));
        for other in [
            "",
            "4c",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}00"),
            &text.replace('f', "e"),
        ] {
            assert!(!checksum.is_written(other), "{other}");
        }
        let error = "12".parse::<Checksum>().unwrap_err();
        assert_eq!(error.to_string(), "`12` is not a checksum of 64 hexadecimal digits");
        assert!(format!("{:é<64}", "").parse::<Checksum>().is_err());
    }
}
