//! The checksums of other tools, by their algorithms.

use migrate_set::checksum::hex;
use sha2::{Digest, Sha384};

/// SHA-384 of `text`, as 96 lower-case hexadecimal digits.
pub(super) fn sha384(text: &str) -> String {
    hex(&Sha384::digest(text))
}

/// Flyway's checksum: CRC-32 (IEEE) over the lines without their ends, as a signed number.
pub(super) fn crc32_of_lines(text: &str) -> String {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    });
    (!crc).cast_signed().to_string()
}

/// refinery's checksum of a migration: SipHash-1-3 without a key over what `Hash` of its name, its
/// version and its text feeds to a hasher. `version` is as wide as refinery was built: 4 bytes, or 8.
pub(super) fn siphash_of_refinery(name: &str, version: &[u8], text: &str) -> String {
    // A string ends with a byte that UTF-8 does not have.
    let bytes = [name.as_bytes(), &[0xff], version, text.as_bytes(), &[0xff]].concat();
    siphash13(&bytes).to_string()
}

/// SipHash-1-3 with a key of zeros (Aumasson and Bernstein, "`SipHash`: a fast short-input PRF").
fn siphash13(bytes: &[u8]) -> u64 {
    let mut v: [u64; 4] = [
        0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        absorb(&mut v, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len().to_le_bytes()[0];
    absorb(&mut v, u64::from_le_bytes(last));
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    v[0] ^= word;
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    /// The standard library's hasher is SipHash-1-3 without a key today.
    #[test]
    fn siphash_is_that_of_the_standard_library() {
        for length in 0..64_u8 {
            let bytes: Vec<u8> = (0..length).collect();
            let mut hasher = DefaultHasher::new();
            hasher.write(&bytes);
            assert_eq!(siphash13(&bytes), hasher.finish(), "{length} bytes");
        }
    }

    /// As refinery does it, and what refinery 0.10.1 wrote for `V1__a.sql`.
    #[test]
    fn refinery_hashes_name_version_and_text() {
        let text = "CREATE TABLE a (id int);\n";
        let narrow = siphash_of_refinery("a", &1_i32.to_le_bytes(), text);
        assert_eq!(narrow, "17668404793905020130");
        let mut hasher = DefaultHasher::new();
        ("a", 1_i64, text).hash(&mut hasher);
        let wide = siphash_of_refinery("a", &1_i64.to_le_bytes(), text);
        assert_eq!(wide, hasher.finish().to_string());
    }

    /// The check value of CRC-32 (IEEE) is `cbf43926` for `123456789`.
    #[test]
    fn crc_knows_no_line_ends() {
        let expected = 0xcbf4_3926_u32.cast_signed().to_string();
        for text in ["123456789", "1234\n56789\n", "1234\r\n56789\r\n"] {
            assert_eq!(crc32_of_lines(text), expected, "{text:?}");
        }
        assert_eq!(crc32_of_lines(""), "0");
    }

    /// The example of FIPS 180-4.
    #[test]
    fn sha_is_written_in_lower_case() {
        assert!(sha384("abc").starts_with("cb00753f45a35e8b"));
    }
}
