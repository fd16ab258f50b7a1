//! What the build refuses, with every word of what it says, and what it takes.
//!
//! Each case is one folder of SQL and one call of the macro. The tests write all of them into
//! [`scratch`](crate::scratch) projects, build those, and compare: what was refused with `stderr/CASE.stderr`, what
//! was taken with what the set says of itself. The folders are written at run time because git would
//! mangle the CRLF, the NUL bytes and the odd names in them.
//!
//! `UPDATE=1 cargo test -p migrate-tests --test build ui::` writes the `.stderr` files anew: read the
//! difference before you keep it.

mod accept;
mod case;
mod reject;
