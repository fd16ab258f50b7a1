//! Makes the text of new files: comments, and the section markers that the newest file uses.
//! The description is not written into them, because `-- down` would be a marker.

use migrate_set::name::Direction;

use super::Named;
use crate::check::SourceFile;
use crate::directives::{DOWN, Directive, directive};

const UP: &str = "-- The statements of this migration.\n";

/// The lines that mark the sections of a file; `None` in a file without sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markers {
    up: Option<String>,
    down: Option<String>,
}

impl Markers {
    /// The default markers.
    pub(super) fn usual() -> Markers {
        Markers { up: Some("-- UP".to_owned()), down: Some("-- DOWN".to_owned()) }
    }

    /// The markers of a file, in its spelling.
    pub(super) fn of(bytes: &[u8]) -> Markers {
        let text = String::from_utf8_lossy(bytes);
        let mut markers = Markers::default();
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("--")) {
            let place = match directive(line) {
                Ok(Some(Directive::Section { direction: Direction::Up, .. })) => &mut markers.up,
                Ok(Some(
                    Directive::Section { direction: Direction::Down, .. } | Directive::Divider,
                )) => &mut markers.down,
                _ => continue,
            };
            place.get_or_insert_with(|| plain(line));
        }
        markers
    }
}

/// A marker without its transaction mode, which each migration must request on its own.
fn plain(marker: &str) -> String {
    let words = marker.split_whitespace();
    let kept: Vec<&str> =
        words.take_while(|word| !word.to_lowercase().contains("transaction")).collect();
    kept.join(" ")
}

/// The new files.
pub(super) fn files(named: Vec<Named>, markers: &Markers) -> Vec<SourceFile> {
    let text = |direction| match (direction, &markers.up, &markers.down) {
        (Some(Direction::Down), ..) => DOWN.to_owned(),
        (Some(Direction::Up), ..) | (_, None, None) => UP.to_owned(),
        (_, Some(up), None) => format!("{up}\n{UP}"),
        (_, None, Some(down)) => format!("{UP}\n{down}\n{DOWN}"),
        (_, Some(up), Some(down)) => format!("{up}\n{UP}\n{down}\n{DOWN}"),
    };
    let file = |(direction, path)| SourceFile { bytes: text(direction).into_bytes(), path };
    named.into_iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(newest: &str, up: Option<&str>, down: Option<&str>) {
        let expected = Markers { up: up.map(str::to_owned), down: down.map(str::to_owned) };
        assert_eq!(Markers::of(newest.as_bytes()), expected, "{newest}");
    }

    #[test]
    fn sections_are_marked_as_in_the_newest_file() {
        check("SELECT 1;", None, None);
        check("-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;", Some("-- UP"), Some("-- DOWN"));
        check("-- +goose Up\nSELECT 1;", Some("-- +goose Up"), None);
        check(
            "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\n",
            Some("-- migrate:up"),
            Some("-- migrate:down"),
        );
        let divider = "---- create above / drop below ----";
        check(&format!("SELECT 1;\n{divider}\nSELECT 2;"), None, Some(divider));
    }
}
