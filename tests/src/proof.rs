//! What the proofs `chaos` and `failover` share: sets that count how often each part of them ran, real
//! processes that run them, and what has to hold afterwards.
//! A seed decides what happens to the processes and the server; what breaks comes out as sentences, so
//! that a round reports all of it. Nothing here knows how the library works inside.

pub mod options;
pub mod dice;
pub mod script;
pub mod replica;
pub mod fleet;
pub mod checks;
pub mod standing;
