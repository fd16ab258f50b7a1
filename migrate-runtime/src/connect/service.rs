//! Reads a service of a connection service file (manual, section 34.17).

use std::fs;
use std::path::Path;

use super::address::Mistake;
use super::options::is_known;

/// The settings of the service `name` in `file`; `None` if the file does not have it.
pub(super) fn settings(file: &Path, name: &str) -> Result<Option<Vec<(String, String)>>, Mistake> {
    let Ok(bytes) = fs::read(file) else { return Ok(None) };
    parse(&String::from_utf8(bytes).map_err(|_| Mistake::Utf8)?, name)
}

fn parse(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, Mistake> {
    let mut settings = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            // As in libpq, only the first section of that name counts.
            if settings.is_some() {
                break;
            }
            settings = (head.strip_suffix(']') == Some(name)).then(Vec::new);
        } else if let Some(settings) = &mut settings {
            let (key, value) = line.split_once('=').ok_or(Mistake::List)?;
            if key == "service" || key == "servicefile" || !is_known(key) {
                return Err(Mistake::Hidden);
            }
            // Of a repeated key, the first value counts.
            if !settings.iter().any(|(known, _)| known == key) {
                settings.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_its_section() {
        let text =
            "# note\n[other]\nhost=no\n[ours]\nhost=h\n port=1\nhost=later\n[ours]\nuser=no\n";
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(parse(text, "ours"), Ok(Some(vec![own("host", "h"), own("port", "1")])));
        assert_eq!(parse(text, "our"), Ok(None));
        assert_eq!(parse("[a]\nhost", "a"), Err(Mistake::List));
        assert_eq!(parse("[a]\nhots=h", "a"), Err(Mistake::Hidden));
        assert_eq!(parse("[a]\nservice=b", "a"), Err(Mistake::Hidden));
        assert_eq!(parse("[b]\nldap://x", "a"), Ok(None));
    }
}
