//! The pages `docs/from/*.md`: each of their Rust examples is a documentation test of this package. What
//! they do is tested in `tests/tests/db/seeds`.

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
