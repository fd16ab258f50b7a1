//! Finds what a misspelt word is probably meant to be.

/// The spellings that a wrong one is compared with.
const SPELLINGS: &[&str] = &[
    "migrate:up",
    "migrate:down",
    "migrate:no-transaction",
    "migrate:up transaction:false",
    "migrate:down transaction:false",
    "migrate:function",
    "migrate:phase contract after RELEASE",
    "migrate:allow CHECK because REASON",
    "migrate:from TOOL KEY",
    "migrate:replaces FIRST to LAST sha256:DIGEST",
    "+goose Up",
    "+goose Down",
    "+goose StatementBegin",
    "+goose StatementEnd",
    "+goose NO TRANSACTION",
    "+migrate Up",
    "+migrate Down",
    "+migrate Up notransaction",
    "+migrate Down notransaction",
    "+migrate StatementBegin",
    "+migrate StatementEnd",
];

/// The spelling that a wrong one is probably meant to be.
pub(super) fn nearest(written: &str) -> &'static str {
    // A comment can be as long as a file, and no spelling is.
    let written: String = written.chars().take(64).flat_map(char::to_lowercase).collect();
    let distance = |known: &&&str| edit_distance(&written, &known.to_lowercase());
    SPELLINGS.iter().min_by_key(distance).copied().unwrap_or("migrate:up")
}

/// How many letters must be inserted, removed, replaced or swapped with the next one.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut fewest = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                fewest = fewest.min(before[j - 2] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
