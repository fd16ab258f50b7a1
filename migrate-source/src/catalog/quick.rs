//! Maps by names with a quick hash: the standard one takes a quarter of the check of names in a macro, which is not
//! optimised. It does not resist chosen names, which would only slow their author's own build.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by names.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// A set of names.
pub(super) type Set<K> = HashSet<K, BuildHasherDefault<Quick>>;

/// A hash by a multiplication for each eight bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quick(u64);

/// A number of which the bits are irregular.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Quick {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(ODD);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, after)) = rest.split_first_chunk() {
            self.add(u64::from_le_bytes(*word));
            rest = after;
        }
        let mut word = 0;
        for byte in rest {
            word = word << 8 | u64::from(*byte);
        }
        self.add(word);
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(u64::from(byte));
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        // The map takes the highest and the lowest bits, and a product's lowest are not mixed.
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(ODD);
        mixed ^ mixed >> 32
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn names_that_are_alike_have_different_hashes() {
        let state = BuildHasherDefault::<Quick>::default();
        let names = (0..20_000).flat_map(|n| [format!("t{n}"), format!("a_longer_name_{n}_key")]);
        let hashes: Vec<u64> = names.map(|name| state.hash_one(name.as_str())).collect();
        let all = |of: fn(u64) -> u64| {
            hashes.iter().map(|hash| of(*hash)).collect::<HashSet<u64>>().len()
        };
        assert_eq!(all(|hash| hash), hashes.len());
        // As many as of numbers by chance: 65,536 places and 128 tags are filled evenly.
        assert!(all(|hash| hash & 0xffff) > 29_000);
        assert_eq!(all(|hash| hash >> 57), 128);
    }
}
