//! The pages `docs/from/*.md`, for the compiler: each Rust example of theirs is a documentation test of
//! this package. What the examples do is shown by `tests/tests/db/seeds`.

#[doc = include_str!("../../docs/from/chronis.md")]
mod chronis {}
#[doc = include_str!("../../docs/from/pgdbm.md")]
mod pgdbm {}
#[doc = include_str!("../../docs/from/pycopg.md")]
mod pycopg {}
#[doc = include_str!("../../docs/from/data-bridge.md")]
mod data_bridge {}
#[doc = include_str!("../../docs/from/xyn.md")]
mod xyn {}
