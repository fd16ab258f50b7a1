//! What the build refuses, with the exact diagnostics, and what it accepts.
//!
//! Each case is one folder of SQL and one call of the macro. The tests write all of them into
//! [`scratch`](crate::scratch) projects, build those, and compare: the diagnostics with
//! `stderr/CASE.stderr`, and an accepted set with its description. The folders are written at run time because
//! git would change the CRLF, the NUL bytes and the unusual names in them.
//!
//! `UPDATE=1 cargo test -p migrate-tests --test build ui::` rewrites the `.stderr` files: read the
//! difference before you keep it.

mod accept;
mod case;
mod reject;
