//! The checksums of other tools, by their algorithms.

use md5::Md5;
use migrate_set::checksum::{Checksum, hex, sha256};
use migrate_set::set::{Migration, Script};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::row::Row;
use super::sha1::sha1;
use super::siphash::siphash13;

/// The algorithm of a checksum over a file, in hexadecimal digits or, for [`Algorithm::Crc32`], also as a number.
///
/// The file is read as it is on disk, or without white space at its beginning and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// CRC-32 (IEEE).
    Crc32,
}

/// What a checksum is over, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    /// The file.
    Text(Algorithm),
    /// Flyway: CRC-32 of the lines without their ends.
    Lines,
    /// refinery: `SipHash-1-3` of name, version and text.
    Refinery,
    /// postgres-migrations: SHA-1 of the file's name and its text.
    NameAndText,
    /// graphile-migrate: SHA-1 of the checksum before it and the text below the header.
    Chain,
    /// Liquibase: MD5 of the MD5 of the SQL without white space.
    Changeset,
    /// supabase: the statements themselves.
    Statements,
    /// Atlas: SHA-256 of the names and texts of all files so far.
    Directory,
}

impl Digest {
    /// The algorithm, for messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Digest::Text(Algorithm::Md5) | Digest::Changeset => "MD5",
            Digest::Text(Algorithm::Sha1) | Digest::NameAndText | Digest::Chain => "SHA-1",
            Digest::Text(Algorithm::Sha256) | Digest::Statements | Digest::Directory => "SHA-256",
            Digest::Text(Algorithm::Sha384) => "SHA-384",
            Digest::Text(Algorithm::Sha512) => "SHA-512",
            Digest::Text(Algorithm::Crc32) | Digest::Lines => "CRC32",
            Digest::Refinery => "SipHash-1-3",
        }
    }

    /// A checksum as the table has it, in the form of those that are computed here.
    pub(super) fn recorded(self, kept: &str) -> String {
        match self {
            Digest::Statements => of_statements(kept),
            // `bytea` as text.
            _ => kept.trim().trim_start_matches("\\x").to_owned(),
        }
    }

    /// The checksums that the tool can have recorded for `text` of a file.
    pub(super) fn of(self, text: &str, file: &Hashed<'_>, row: &Row) -> Vec<String> {
        match self {
            Digest::Text(algorithm) => of_text(algorithm, text),
            Digest::Lines => vec![crc32_of_lines(text.trim_start_matches('\u{feff}'))],
            Digest::Refinery => of_refinery(row, text),
            Digest::NameAndText => {
                let name = file.path.rsplit('/').next().unwrap_or_default();
                vec![hex(&sha1([name, text].concat().as_bytes()))]
            }
            Digest::Chain => vec![of_chain(row.previous.as_deref().unwrap_or_default(), text)],
            Digest::Changeset => of_changeset(text, file.statements),
            Digest::Statements => vec![of_statements(text)],
            Digest::Directory => Vec::new(),
        }
    }
}

/// What some checksums need of a file besides its text.
pub(super) struct Hashed<'f> {
    /// Its path; the last part counts.
    pub(super) path: &'f str,
    /// Its text up to its last statement, without the semicolon.
    pub(super) statements: &'f str,
}

impl<'f> Hashed<'f> {
    pub(super) fn of(migration: &'f Migration) -> Self {
        let up = migration.up();
        let end = up.statements().last().map_or(0, |(_, end)| end);
        let statements = up.text().get(..end).unwrap_or_default();
        Hashed { path: migration.filename(), statements }
    }
}

/// The texts that the file of a script can have had for a tool that reads bytes.
///
/// The set has its files without a byte order mark and with line feeds only; a tool may have removed white space
/// around a text.
pub(super) fn originals(script: &Script) -> impl Iterator<Item = String> + '_ {
    LINES.iter().filter_map(|of| of(script)).flat_map(|text| {
        let marked = format!("\u{feff}{text}");
        let trimmed = text.trim().to_owned();
        [text, marked, trimmed]
    })
}

/// A text with one kind of line endings; `None` if its file cannot have them.
type Lines = fn(&Script) -> Option<String>;

/// The kinds of line endings that a file can have.
const LINES: [Lines; 3] = [
    |script| Some(script.text().to_owned()),
    |script| Some(script.text().replace('\n', "\r\n")),
    Script::with_mixed_lines,
];

/// What Atlas records for each of `migrations`, in order, for each kind of line endings.
pub(super) fn of_directory(migrations: &[Migration]) -> Vec<Vec<String>> {
    let texts = |up: &Script| LINES.map(|lines| lines(up).unwrap_or_else(|| up.text().to_owned()));
    directory(migrations.iter().map(|migration| (migration.filename(), texts(migration.up()))))
}

/// The same for paths and the texts that each file can have.
pub(super) fn directory<'f>(
    files: impl Iterator<Item = (&'f str, [String; 3])>,
) -> Vec<Vec<String>> {
    let mut hashers = [(); 3].map(|()| Sha256::new());
    let mut sums = Vec::new();
    for (path, texts) in files {
        let name = path.rsplit('/').next().unwrap_or_default();
        let sum = |(hasher, text): (&mut Sha256, String)| {
            hasher.update(name);
            hasher.update(text);
            hex(&hasher.clone().finalize())
        };
        sums.push(hashers.iter_mut().zip(texts).map(sum).collect());
    }
    sums
}

fn of_text(algorithm: Algorithm, text: &str) -> Vec<String> {
    match algorithm {
        Algorithm::Md5 => vec![hex(&Md5::digest(text))],
        Algorithm::Sha1 => vec![hex(&sha1(text.as_bytes()))],
        Algorithm::Sha256 => vec![sha256(text)],
        Algorithm::Sha384 => vec![hex(&Sha384::digest(text))],
        Algorithm::Sha512 => vec![hex(&Sha512::digest(text))],
        Algorithm::Crc32 => {
            let crc = crc32(text.bytes());
            let signed = crc.cast_signed().to_string();
            vec![format!("{crc:08x}"), format!("{crc:x}"), signed, crc.to_string()]
        }
    }
}

/// CRC-32 (IEEE).
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

/// Flyway's checksum: CRC-32 over the lines without their ends, as a signed number.
fn crc32_of_lines(text: &str) -> String {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    crc32(bytes).cast_signed().to_string()
}

/// The canonical checksum of all statements in `text`, or of a text that has none.
fn of_statements(text: &str) -> String {
    Checksum::of_sql(text).map_or_else(|| sha256(text), |all| all.to_string())
}

/// graphile-migrate's checksum, of a file as `commit` writes it.
fn of_chain(previous: &str, text: &str) -> String {
    let headers = ["Previous:", "Hash:", "Message:"];
    let is_header = |line: &&str| {
        line.strip_prefix("--! ").is_some_and(|line| headers.iter().any(|h| line.starts_with(h)))
    };
    let header: usize = text.split_inclusive('\n').take_while(is_header).map(str::len).sum();
    let body = text.get(header..).unwrap_or_default().trim();
    let hashed = format!("{}\n", format!("{previous}\n{body}").trim());
    format!("sha1:{}", hex(&sha1(hashed.as_bytes())))
}

/// Liquibase's checksum of a changeset that is a file of its own. Its comments and its last semicolon count, its
/// attributes and rollback lines do not.
fn of_changeset(text: &str, statements: &str) -> Vec<String> {
    let is_attribute = |line: &&str| {
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        let word = comment.and_then(|comment| comment.split([' ', ':', '-']).next());
        word.is_some_and(|word| ATTRIBUTES.iter().any(|one| word.eq_ignore_ascii_case(one)))
    };
    let sum = |text: &str| {
        let lines = text.lines().filter(|line| !is_attribute(line));
        let sql: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
        let inner = hex(&Md5::digest(sql));
        format!("9:{}", hex(&Md5::digest(format!("9:{inner}:"))))
    };
    vec![sum(text), sum(statements), sum(&format!("{statements};"))]
}

/// The first words of the comments that Liquibase reads.
const ATTRIBUTES: [&str; 10] = [
    "liquibase", "changeset", "rollback", "comment", "preconditions", "precondition", "property",
    "validchecksum", "ignorelines", "logicalfilepath",
];

/// The checksums of refinery, which depend on how wide its versions were built.
fn of_refinery(row: &Row, text: &str) -> Vec<String> {
    let version = row.version.as_deref().and_then(|version| version.parse::<i64>().ok());
    let (version, name) = (version.unwrap_or_default(), row.name.as_deref().unwrap_or_default());
    let narrow = i32::try_from(version).ok();
    let narrow = narrow.map(|version| siphash_of_refinery(name, &version.to_le_bytes(), text));
    let wide = siphash_of_refinery(name, &version.to_le_bytes(), text);
    narrow.into_iter().chain([wide]).collect()
}

/// refinery's checksum of a migration: SipHash-1-3 without a key over what `Hash` of its name, its
/// version and its text feeds to a hasher. `version` is as wide as refinery was built: 4 bytes, or 8.
pub(super) fn siphash_of_refinery(name: &str, version: &[u8], text: &str) -> String {
    // A string ends with a byte that UTF-8 does not have.
    let bytes = [name.as_bytes(), &[0xff], version, text.as_bytes(), &[0xff]].concat();
    siphash13(&bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    /// As refinery does it, and what refinery 0.10.1 wrote for `V1__a.sql`.
    #[test]
    fn refinery_hashes_name_version_and_text() {
        let text = "CREATE TABLE a (id int);\n";
        let narrow = siphash_of_refinery("a", &1_i32.to_le_bytes(), text);
        assert_eq!(narrow, "17668404793905020130");
        let mut hasher = DefaultHasher::new();
        ("a", 1_i64, text).hash(&mut hasher);
        let wide = siphash_of_refinery("a", &1_i64.to_le_bytes(), text);
        assert_eq!(wide, hasher.finish().to_string());
    }

    /// The check value of CRC-32 (IEEE) is `cbf43926` for `123456789`.
    #[test]
    fn crc_knows_no_line_ends() {
        let expected = 0xcbf4_3926_u32.cast_signed().to_string();
        for text in ["123456789", "1234\n56789\n", "1234\r\n56789\r\n"] {
            assert_eq!(crc32_of_lines(text), expected, "{text:?}");
        }
        assert_eq!(crc32_of_lines(""), "0");
    }

    /// The examples of RFC 1321 and FIPS 180-4, and the check value of CRC-32 (IEEE).
    #[test]
    fn digits_are_hexadecimal() {
        let check = |algorithm, text: &str, begin: &str| {
            let digits = of_text(algorithm, text);
            assert!(digits[0].starts_with(begin), "{algorithm:?} of {text:?}: {digits:?}");
        };
        check(Algorithm::Md5, "abc", "900150983cd24fb0");
        check(Algorithm::Sha1, "abc", "a9993e364706816a");
        check(Algorithm::Sha256, "abc", "ba7816bf8f01cfea");
        check(Algorithm::Sha384, "abc", "cb00753f45a35e8b");
        check(Algorithm::Sha512, "abc", "ddaf35a193617aba");
        check(Algorithm::Crc32, "123456789", "cbf43926");
    }
}
