//! Random numbers that are the same for a seed on every machine and in every version, which the
//! standard library's hashers do not guarantee. A seed repeats the choices of a round but not its exact
//! timing, because faults hit a running server.

use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(mixed % limit).unwrap_or(0)
    }

    /// Whether an event with this chance, in percent, happens.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time below this, in whole microseconds.
    pub fn pause(&mut self, limit: Duration) -> Duration {
        let micros = self.below(usize::try_from(limit.as_micros()).unwrap_or(usize::MAX));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut dice = Dice::new(1);
        let numbers: Vec<usize> = (0..6).map(|_| dice.below(100)).collect();
        assert_eq!(numbers, [65, 19, 90, 35, 61, 48]);
        assert_eq!(Dice::new(7).below(0), 0);
        assert!(!Dice::new(1).chance(0) && Dice::new(1).chance(100));
    }
}
