//! Tries the folders that the command line of a proof names, one after the other.

use std::env;
use std::path::Path;

/// What became of the folders of a command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many were tried.
    pub sets: usize,
    /// How many could not be.
    pub left_out: usize,
}

/// Tries each folder, and shows what comes of it after the folder's name; one that cannot be tried is left out with its
/// first mistake.
pub async fn each<T>(
    tries: impl AsyncFn(&str) -> Result<T, String>,
    mut show: impl FnMut(&str, T),
) -> Count {
    let mut count = Count::default();
    for folder in env::args().skip(1) {
        let name =
            Path::new(&folder).file_name().unwrap_or_default().to_string_lossy().into_owned();
        match tries(&folder).await {
            Err(mistake) => {
                count.left_out += 1;
                println!("{name}: left out: {}", mistake.lines().next().unwrap_or_default());
            }
            Ok(found) => {
                count.sets += 1;
                show(&name, found);
            }
        }
    }
    count
}
