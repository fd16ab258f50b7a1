//! The pages `docs/guides/*.md`: each of their Rust examples is a documentation test of this package.
//! They embed `tests/migrations` as the service's own folder. An import that a block does not use would be a
//! warning for the reader, so it is an error here, except where the block has tests, which rustdoc leaves out.

#[doc = include_str!("../../docs/guides/boot.md")]
mod boot {}
#[doc(test(attr(allow(unused_imports))))]
#[doc = include_str!("../../docs/guides/ci-check.md")]
mod ci_check {}
#[doc = include_str!("../../docs/guides/expand-and-contract.md")]
mod expand_and_contract {}
#[doc = include_str!("../../docs/guides/concurrently.md")]
mod concurrently {}
#[doc = include_str!("../../docs/guides/rollback.md")]
mod rollback {}
#[doc = include_str!("../../docs/guides/tenants.md")]
mod tenants {}
#[doc = include_str!("../../docs/guides/adopting.md")]
mod adopting {}
#[doc = include_str!("../../docs/guides/schema.md")]
mod schema {}
#[doc(test(attr(allow(unused_imports))))]
#[doc = include_str!("../../docs/guides/testing.md")]
mod testing {}
#[doc = include_str!("../../docs/guides/poolers.md")]
mod poolers {}
#[doc = include_str!("../../docs/guides/citus.md")]
mod citus {}
#[doc = include_str!("../../docs/guides/hooks-and-functions.md")]
mod hooks_and_functions {}
#[doc = include_str!("../../docs/guides/operations.md")]
mod operations {}
#[doc = include_str!("../../docs/guides/observability.md")]
mod observability {}
