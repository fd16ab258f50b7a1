//! Writes a set into two literals, and reads it back when it is first asked for.
//! Migrations go in, [`Packed`] comes out; [`unpack`] gives the very same migrations.
//! An expression for each migration would say the same, but the compiler takes 0.3 ms to check each, at
//! every `cargo check`, and a program carries 0.4 KiB of pointers for each, which its start relocates.
//! Tried and rejected: to read it back in a constant, at 2 ms for each migration.

use std::borrow::Cow;

use crate::checksum::Checksum;
use crate::name::Kind;
#[cfg(feature = "source")]
use crate::set::Ends;
use crate::set::{Migration, Script};
use crate::sql::directive::TransactionMode;
use crate::sql::kind::SessionEffect;
use crate::sql::placeholder::{Placeholder, Within};
use crate::version::Version;

/// Migrations as two literals.
#[cfg(feature = "source")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// All file names and texts, one behind the other.
    pub text: String,
    /// How many there are, how long each of these is, and all that is no text. Numbers are LEB128.
    pub table: Vec<u8>,
}

/// Bits of a migration.
const REPEATABLE: u8 = 1;
const HAS_DOWN: u8 = 2;
/// Up and down stand in one file.
const ONE_FILE: u8 = 4;

/// Bits of a script; the session's effect stands above them.
const NON_TRANSACTIONAL: u8 = 1;
const WITH_FUNCTION: u8 = 2;
const HAS_PLACEHOLDERS: u8 = 4;
const SESSION: u8 = 8;

/// What stands before a version or a name that is no part of the file's name.
const NO_PART: u8 = 255;

#[cfg(feature = "source")]
impl Packed {
    /// Packs migrations, in order.
    pub fn of(migrations: &[Migration]) -> Packed {
        let mut packed = Packed::default();
        packed.push_number(migrations.len());
        for migration in migrations {
            packed.push(migration);
        }
        packed
    }

    fn push(&mut self, migration: &Migration) {
        let (up, down) = (migration.up(), migration.down());
        let file = |script: &Script| (script.filename().to_owned(), script.text().to_owned());
        let is_one_file = down.is_some_and(|down| file(down) == file(up));
        let bits = [
            (migration.kind() == Kind::Repeatable, REPEATABLE),
            (down.is_some(), HAS_DOWN),
            (is_one_file, ONE_FILE),
        ];
        self.push_bits(&bits);
        self.table.extend(migration.checksum().as_bytes());
        self.push_file(up);
        self.push_names(up.filename(), migration.version().as_str(), migration.name());
        self.push_script(up);
        if let Some(down) = down {
            if !is_one_file {
                self.push_file(down);
            }
            self.push_script(down);
        }
    }

    fn push_bits(&mut self, bits: &[(bool, u8)]) {
        self.table.push(bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum());
    }

    fn push_file(&mut self, script: &Script) {
        self.push_text(script.filename());
        self.push_text(script.text());
    }

    /// Version and name, which mostly are parts of the file's name: one byte says how many bytes are
    /// before the version and in it, another how many are between it and the name, and behind that.
    fn push_names(&mut self, filename: &str, version: &str, name: &str) {
        let mut rest = filename;
        let place = filename.find(version);
        if let Some(before @ 0..15) = place.filter(|_| version.len() < 16) {
            self.push_place(before, version.len());
            rest = &filename[before + version.len()..];
        } else {
            self.push_other(version);
        }
        let place = rest.find(name).map(|before| (before, rest.len() - before - name.len()));
        if let Some((before @ 0..15, behind @ 0..16)) = place {
            self.push_place(before, behind);
        } else {
            self.push_other(name);
        }
    }

    fn push_place(&mut self, high: usize, low: usize) {
        self.table.push((high * 16 + low).to_le_bytes()[0]);
    }

    fn push_other(&mut self, text: &str) {
        self.table.push(NO_PART);
        self.push_text(text);
    }

    fn push_script(&mut self, script: &Script) {
        let session = match script.session() {
            SessionEffect::Keeps => 0,
            SessionEffect::Changes => 1,
            SessionEffect::Resets => 2,
        };
        let bits = [
            (script.transaction() == TransactionMode::NonTransactional, NON_TRANSACTIONAL),
            (script.ends() == Ends::WithFunction, WITH_FUNCTION),
            (!script.placeholders().is_empty(), HAS_PLACEHOLDERS),
            (session > 0, session * SESSION),
        ];
        self.push_bits(&bits);
        self.push_number(script.statements().len());
        let mut before = 0;
        for (start, end) in script.statements() {
            self.push_number(start - before);
            self.push_number(end - start);
            before = end;
        }
        if script.placeholders().is_empty() {
            return;
        }
        self.push_number(script.placeholders().len());
        let mut before = 0;
        for Placeholder { start, end, within } in script.placeholders() {
            self.push_number((start - before) as usize);
            self.push_number((end - start) as usize);
            self.table.push(match within {
                Within::Sql => 0,
                Within::String => 1,
                Within::EscapeString => 2,
                Within::DollarString => 3,
            });
            before = *end;
        }
    }

    fn push_text(&mut self, text: &str) {
        self.push_number(text.len());
        self.text.push_str(text);
    }

    fn push_number(&mut self, mut number: usize) {
        while number >= 128 {
            self.table.push(number.to_le_bytes()[0] | 128);
            number >>= 7;
        }
        self.table.push(number.to_le_bytes()[0]);
    }
}

/// The migrations of [`Packed::text`] and [`Packed::table`].
#[must_use]
pub fn unpack(text: &'static str, table: &'static [u8]) -> Vec<Migration> {
    let mut rest = Rest { text, table };
    let mut list = Vec::with_capacity(rest.number().unwrap_or_default());
    while let Some(migration) = rest.migration() {
        list.push(migration);
    }
    list
}

/// What was not read yet. `None` is the end, which nothing but a migration's beginning is at.
struct Rest {
    text: &'static str,
    table: &'static [u8],
}

impl Rest {
    fn migration(&mut self) -> Option<Migration> {
        let bits = self.byte()?;
        let checksum = Checksum::from_bytes(self.bytes()?);
        let (filename, text) = self.file()?;
        let (version, name) = self.names(filename)?;
        let (version, name) = (Version::from_static(version), Cow::Borrowed(name));
        let up = self.script(filename, text)?;
        let kind = if bits & REPEATABLE == 0 { Kind::Versioned } else { Kind::Repeatable };
        let down = match (bits & HAS_DOWN, bits & ONE_FILE) {
            (0, _) => None,
            (_, 0) => {
                let (filename, text) = self.file()?;
                Some(self.script(filename, text)?)
            }
            _ => Some(self.script(filename, text)?),
        };
        Some(Migration::new(version, name, kind, checksum, up, down))
    }

    fn file(&mut self) -> Option<(&'static str, &'static str)> {
        Some((self.text()?, self.text()?))
    }

    /// What [`Packed::push_names`] wrote.
    fn names(&mut self, filename: &'static str) -> Option<(&'static str, &'static str)> {
        let mut rest = filename;
        let version = match self.byte()? {
            NO_PART => self.text()?,
            place => {
                let version = filename.get(usize::from(place / 16)..)?;
                let (version, behind) = version.split_at_checked(usize::from(place % 16))?;
                rest = behind;
                version
            }
        };
        let name = match self.byte()? {
            NO_PART => self.text()?,
            place => {
                let end = rest.len().checked_sub(usize::from(place % 16))?;
                rest.get(usize::from(place / 16)..end)?
            }
        };
        Some((version, name))
    }

    fn script(&mut self, filename: &'static str, text: &'static str) -> Option<Script> {
        let bits = self.byte()?;
        let count = self.number()?;
        let mut statements = Vec::with_capacity(count);
        let mut before = 0;
        for _ in 0..count {
            let (start, end) = self.range(before)?;
            statements.push([start, end]);
            before = end;
        }
        let count = if bits & HAS_PLACEHOLDERS == 0 { 0 } else { self.number()? };
        let mut placeholders = Vec::with_capacity(count);
        let mut before = 0;
        for _ in 0..count {
            let (start, end) = self.range(before)?;
            let within = match self.byte()? {
                0 => Within::Sql,
                1 => Within::String,
                2 => Within::EscapeString,
                _ => Within::DollarString,
            };
            placeholders.push(Placeholder { start, end, within });
            before = end;
        }
        let transaction = match bits & NON_TRANSACTIONAL {
            0 => TransactionMode::Transactional,
            _ => TransactionMode::NonTransactional,
        };
        let session = match bits / SESSION {
            0 => SessionEffect::Keeps,
            1 => SessionEffect::Changes,
            _ => SessionEffect::Resets,
        };
        let script = Script::new(
            Cow::Borrowed(filename),
            Cow::Borrowed(text),
            Cow::Owned(statements),
            Cow::Owned(placeholders),
            transaction,
            session,
        );
        Some(if bits & WITH_FUNCTION == 0 { script } else { script.with_function() })
    }

    /// The next range, which begins so far behind the one before.
    fn range(&mut self, before: u32) -> Option<(u32, u32)> {
        let start = before.checked_add(u32::try_from(self.number()?).ok()?)?;
        Some((start, start.checked_add(u32::try_from(self.number()?).ok()?)?))
    }

    fn text(&mut self) -> Option<&'static str> {
        let (text, rest) = self.text.split_at_checked(self.number()?)?;
        self.text = rest;
        Some(text)
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.table.split_first_chunk()?;
        self.table = rest;
        Some(*bytes)
    }
}

#[cfg(all(test, feature = "source"))]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn ranges() -> impl Strategy<Value = Vec<[u32; 2]>> {
        // Up to where a number takes three bytes.
        vec((0_u32..300, 0_u32..20_000), 0..4).prop_map(|gaps| {
            let mut before = 0;
            let range = |(gap, length): (u32, u32)| {
                let start = before + gap;
                before = start + length;
                [start, before]
            };
            gaps.into_iter().map(range).collect()
        })
    }

    prop_compose! {
        fn script()(
            filename in "[a-zé/0-9_]{0,12}",
            text in "[a-z;é'\n]{0,200}",
            statements in ranges(),
            holes in ranges(),
            within in select(vec![Within::Sql, Within::String, Within::EscapeString, Within::DollarString]),
            transaction in select(vec![TransactionMode::Transactional, TransactionMode::NonTransactional]),
            session in select(vec![SessionEffect::Keeps, SessionEffect::Changes, SessionEffect::Resets]),
            with_function in any::<bool>(),
        ) -> Script {
            let hole = |[start, end]: [u32; 2]| Placeholder { start, end, within };
            let holes = holes.into_iter().map(hole).collect();
            let (filename, text) = (Cow::Owned(filename), Cow::Owned(text));
            let (statements, holes) = (Cow::Owned(statements), Cow::Owned(holes));
            let script = Script::new(filename, text, statements, holes, transaction, session);
            if with_function { script.with_function() } else { script }
        }
    }

    fn migration() -> impl Strategy<Value = Migration> {
        let kind = select(vec![Kind::Versioned, Kind::Repeatable]);
        // Mostly a part of the file's name, which is packed in another way.
        let part = || (any::<bool>(), "[a-z]{0,6}");
        (
            part(),
            part(),
            kind,
            any::<[u8; 32]>(),
            script(),
            prop::option::of(script()),
            any::<bool>(),
        )
            .prop_map(|(version, name, kind, checksum, up, down, is_one_file)| {
                let first = up.filename().chars().next().map_or(0, char::len_utf8);
                let (start, rest) = up.filename().split_at(first);
                let of = |(is_part, other): (bool, String), part: &str| {
                    if is_part { part.to_owned() } else { other }
                };
                let version = Version::new(of(version, start));
                let name = Cow::Owned(of(name, rest.trim_end_matches(char::is_numeric)));
                let down = down.map(|down| if is_one_file { up.clone() } else { down });
                Migration::new(version, name, kind, Checksum::from_bytes(checksum), up, down)
            })
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(migrations in vec(migration(), 0..4)) {
            let Packed { text, table } = Packed::of(&migrations);
            let table: &'static [u8] = table.leak();
            prop_assert_eq!(unpack(text.leak(), table), migrations);
        }
    }
}
