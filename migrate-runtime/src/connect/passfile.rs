//! Finds the password of a connection in a password file (manual, section 34.16). As in libpq, the
//! first line that matches counts, and a file that others can read is ignored.

use std::fs;
use std::path::Path;

/// The password in the file `path` for this host, port, database and user; `None` if it has none, or if
/// there is no such file.
///
/// # Errors
/// Why a file that exists is not used.
pub(super) fn password(path: &Path, wanted: [&str; 4]) -> Result<Option<String>, &'static str> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    if !metadata.is_file() {
        return Err("is not a regular file");
    }
    if is_open_to_others(&metadata) {
        return Err("can be read by others: `chmod 600` it");
    }
    let text = fs::read_to_string(path).map_err(|_| "cannot be read")?;
    Ok(find(&text, wanted))
}

/// Whether others can read or write a file.
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    owner_and_mode(metadata).1 & 0o077 != 0
}

/// The same of a private key, of which root's may be readable by its group.
pub(super) fn is_key_open_to_others(metadata: &fs::Metadata) -> bool {
    let (owner, mode) = owner_and_mode(metadata);
    mode & (if owner == 0 { 0o037 } else { 0o077 }) != 0
}

#[cfg(unix)]
fn owner_and_mode(metadata: &fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    (metadata.uid(), metadata.mode())
}

#[cfg(not(unix))]
fn owner_and_mode(_: &fs::Metadata) -> (u32, u32) {
    (1, 0)
}

fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line.trim_end_matches('\r'));
        let fits = |(key, value): (&String, &str)| key == "*" || key == value;
        let password = fields.get(wanted.len())?;
        fields.iter().zip(wanted).all(fits).then(|| password.clone())
    })
}

/// `host:port:database:user:password`; a backslash escapes a colon or a backslash. As in libpq, what follows
/// the password and a colon is ignored, and a backslash at the end is one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let kept = match c {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next().or(Some(c)),
            c => Some(c),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(kept);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            let found = find(text, ["h", "5432", "app", "me"]);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        check("", None);
        check("h:5432:app:me:secret", Some("secret"));
        check("*:*:*:*:any\nh:5432:app:me:secret", Some("any"));
        check("other:*:*:*:no\n#h:5432:app:me:no\nh:*:*:me:a\\:b\\\\c:d\r\n", Some("a:b\\c"));
        check("*:*:*:*:a\\", Some("a\\"));
        check("h:5433:app:me:no\nh:5432:app:you:no\nh:5432:db:me:no", None);
        check("h:5432:app:me", None);
    }
}
