//! SHA-1, which only other tools use: nothing here trusts it.

/// SHA-1 of `bytes` (RFC 3174).
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let bits = (bytes.len() as u64).wrapping_mul(8);
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend(bits.to_be_bytes());
    let (blocks, _) = padded.as_chunks::<64>();
    for block in blocks {
        absorb(&mut state, block);
    }
    let mut digest = [0; 20];
    for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

fn absorb(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..80 {
        let word = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
        words[at] = word.rotate_left(1);
    }
    let mut work = *state;
    for (at, word) in words.into_iter().enumerate() {
        let [first, x, y, z, last] = work;
        let (choice, constant) = match at {
            0..20 => ((x & y) | (!x & z), 0x5a82_7999_u32),
            20..40 => (x ^ y ^ z, 0x6ed9_eba1),
            40..60 => ((x & y) | (x & z) | (y & z), 0x8f1b_bcdc),
            _ => (x ^ y ^ z, 0xca62_c1d6),
        };
        let sum = first.rotate_left(5).wrapping_add(choice).wrapping_add(last);
        let next = sum.wrapping_add(constant).wrapping_add(word);
        work = [next, first, x.rotate_left(30), y, z];
    }
    for (sum, word) in state.iter_mut().zip(work) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use migrate_set::checksum::hex;

    use super::*;

    /// The examples of RFC 3174, and lengths around a block.
    #[test]
    fn sha1_is_that_of_the_standard() {
        let check = |text: &str, expected: &str| assert_eq!(hex(&sha1(text.as_bytes())), expected);
        check("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        check("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        check(long, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        check(&"a".repeat(55), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
        check(&"a".repeat(64), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
    }
}
