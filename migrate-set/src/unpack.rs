//! Unpacks the set that `migrate-source` packed into two literals, when it is first used.
//! Nothing is checked: a truncated literal ends the list.

use crate::checksum::Checksum;
use crate::name::Kind;
use crate::release::Release;
use crate::set::{Migration, Script, TransactionMode};
use crate::sql::kind::SessionEffect;
use crate::sql::placeholder::{Placeholder, Within};
use crate::sql::sharing::Sharing;
use crate::squash::listed;
use crate::version::Version;
use bits::{
    CONTRACT, HAS_DOWN, HAS_PLACEHOLDERS, MIXED_LINES, NO_PART, NON_TRANSACTIONAL, ONE_FILE,
    REPEATABLE, REPLACES, SESSION, SHARING, WITH_FUNCTION,
};

/// The meaning of the table's bits, shared by the writer and the reader.
#[doc(hidden)]
pub mod bits {
    /// Bits of a migration.
    pub const REPEATABLE: u8 = 1;
    pub const HAS_DOWN: u8 = 2;
    /// Up and down are in one file.
    pub const ONE_FILE: u8 = 4;
    /// The release of its phase follows the checksum.
    pub const CONTRACT: u8 = 8;
    /// Its text lists what it replaces.
    pub const REPLACES: u8 = 16;

    /// Bits of a script; its effect on the session and how it shares are numbers of two bits.
    pub const NON_TRANSACTIONAL: u8 = 1;
    pub const WITH_FUNCTION: u8 = 2;
    pub const HAS_PLACEHOLDERS: u8 = 4;
    pub const SESSION: u8 = 8;
    pub const SHARING: u8 = 32;
    pub const MIXED_LINES: u8 = 128;

    /// Marks a version or a name that is not part of the file's name.
    pub const NO_PART: u8 = 255;
}

/// The migrations that `Packed` of `migrate-source` wrote into `text` and `table`.
#[must_use]
pub fn unpack(text: &'static str, table: &'static [u8]) -> Vec<Migration> {
    let mut rest = Rest { text, table };
    let mut list = Vec::with_capacity(rest.number().unwrap_or_default());
    while let Some(migration) = rest.migration() {
        list.push(migration);
    }
    list
}

/// What is still to be read. `None` is the end, which only the start of a migration can reach.
struct Rest {
    text: &'static str,
    table: &'static [u8],
}

impl Rest {
    fn migration(&mut self) -> Option<Migration> {
        let bits = self.byte()?;
        let checksum = Checksum::from_bytes(self.bytes()?);
        let contract = if bits & CONTRACT == 0 { None } else { Some(self.text()?) };
        let (filename, text) = self.file()?;
        let (version, name) = self.names(filename)?;
        let version = Version::from_static(version);
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
        let migration = Migration::new(version, name, kind, checksum, up, down);
        let migration = match contract {
            None => migration,
            Some(after) => migration.with_contract(Release::checked(after)),
        };
        Some(if bits & REPLACES == 0 { migration } else { migration.with_replaced(listed(text)) })
    }

    fn file(&mut self) -> Option<(&'static str, &'static str)> {
        Some((self.text()?, self.text()?))
    }

    /// A version and a name, which are usually parts of the file's name.
    fn names(&mut self, filename: &'static str) -> Option<(&'static str, &'static str)> {
        let mut rest = filename;
        let version = match self.byte()? {
            NO_PART => self.text()?,
            place => {
                let version = filename.get(usize::from(place / 16)..)?;
                let (version, after) = version.split_at_checked(usize::from(place % 16))?;
                rest = after;
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
        let has_placeholders = bits & HAS_PLACEHOLDERS != 0;
        let placeholders = if has_placeholders { self.placeholders()? } else { Vec::new() };
        let transaction = match bits & NON_TRANSACTIONAL {
            0 => TransactionMode::Transactional,
            _ => TransactionMode::NonTransactional,
        };
        let session = match bits % SHARING / SESSION {
            0 => SessionEffect::Keeps,
            1 => SessionEffect::Changes,
            _ => SessionEffect::Resets,
        };
        let sharing = match bits % MIXED_LINES / SHARING {
            0 => Sharing::Shares,
            1 => Sharing::Last,
            2 => Sharing::Alone,
            _ => Sharing::Ends,
        };
        let returns = if bits & MIXED_LINES == 0 { Vec::new() } else { self.returns()? };
        let script = Script::new(filename, text, statements, placeholders, transaction, session)
            .with_sharing(sharing)
            .with_returns(returns);
        Some(if bits & WITH_FUNCTION == 0 { script } else { script.with_function() })
    }

    fn placeholders(&mut self) -> Option<Vec<Placeholder>> {
        let count = self.number()?;
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
        Some(placeholders)
    }

    /// Offsets, each stored as the distance from the one before it.
    fn returns(&mut self) -> Option<Vec<u32>> {
        let count = self.number()?;
        let mut before = 0_u32;
        let mut next = || {
            before = before.checked_add(u32::try_from(self.number()?).ok()?)?;
            Some(before)
        };
        (0..count).map(|_| next()).collect()
    }

    /// The next range. Its start is stored as the distance from `before`, the end of the last one.
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
