//! The folder that a set was embedded from, and digests of its files.

/// The folder that a set was embedded from; only debug builds record it.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// Its absolute path on the build machine.
    pub folder: &'static str,
    /// The relative paths of all files in it that are part of the set or mistakes, sorted and
    /// separated by NUL: one literal, because each literal costs compile time.
    pub files: &'static str,
    /// The [`digest_of`] each, 16 digits of base 16.
    pub digests: &'static str,
    /// The crate that embeds it.
    pub package: &'static str,
    /// Compares it with its folder, which the second argument names as the macro does. A pointer, so that
    /// a release build, which has no origin, does not contain the code.
    pub compare: fn(&Origin, &str) -> Option<Differences>,
}

/// How a folder and the set that was embedded from it differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// The absolute path of the folder.
    pub folder: String,
    /// Files on disk that are not in the set.
    pub added: Vec<String>,
    /// Files in the set that are not on disk.
    pub removed: Vec<String>,
    /// Files whose contents differ.
    pub edited: Vec<String>,
}

impl Origin {
    /// The paths in [`Origin::files`].
    pub fn files(&self) -> impl Iterator<Item = &'static str> {
        self.files.split('\0').filter(|file| !file.is_empty())
    }

    /// Whether the file number `index` had these bytes.
    pub fn had(&self, index: usize, bytes: &[u8]) -> bool {
        let digest = self.digests.get(index * 16..(index + 1) * 16);
        digest.is_none_or(|known| u64::from_str_radix(known, 16) == Ok(digest_of(bytes)))
    }
}

/// A digest of a file's bytes that ignores carriage returns, which git may add; FNV-1a, because a debug build
/// computes it unoptimised at each start.
pub fn digest_of(bytes: &[u8]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325;
    for &byte in bytes {
        if byte != b'\r' {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    digest
}
