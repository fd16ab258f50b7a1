//! What the proofs `chaos` and `failover` share: sets that count how often each part of them ran,
//! processes that run them, and the invariants that have to hold afterwards. A seed decides the faults.
//! Each broken invariant is a sentence, so that a round reports all of them.

pub mod options;
pub mod dice;
pub mod script;
pub mod replica;
pub mod entrance;
pub mod fleet;
pub mod checks;
pub mod standing;

/// The first line of an error or another text.
pub fn first_line(text: &impl std::fmt::Display) -> String {
    text.to_string().lines().next().unwrap_or_default().to_owned()
}
