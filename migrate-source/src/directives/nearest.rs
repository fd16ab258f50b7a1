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
pub(super) fn nearest(written: &str) -> Option<&'static str> {
    let written = shortened(written);
    let distance = |known: &&&str| edit_distance(&written, &known.to_lowercase());
    let known = SPELLINGS.iter().min_by_key(distance).copied()?;
    // The markers of other tools are few and known; a word of ours can be wished for.
    let is_far = own(&written).zip(own(known)).is_some_and(|(a, b)| !is_alike(a, b));
    (!is_far).then_some(known)
}

/// What to do about a directive that resembles none of ours.
pub(super) fn all() -> String {
    let known = SPELLINGS.iter().filter(|known| own(known).is_some());
    let known: Vec<String> = known.map(|known| format!("`-- {known}`")).collect();
    format!("the directives are {}", known.join(", "))
}

/// What to do about `written`, which is none of `checks`.
pub(super) fn check(written: &str, checks: &[&str]) -> String {
    if written.contains([',', ' ']) {
        return "write one line for each check".to_owned();
    }
    let written = shortened(written);
    let nearest = checks.iter().min_by_key(|known| edit_distance(&written, known));
    match nearest.filter(|known| is_alike(&written, known)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the checks are: {}", checks.join(", ")),
    }
}

/// A comment can be as long as a file, and no spelling is.
fn shortened(written: &str) -> String {
    written.chars().take(64).flat_map(char::to_lowercase).collect()
}

/// The first word of one of our directives.
fn own(spelling: &str) -> Option<&str> {
    spelling.strip_prefix("migrate:")?.split_whitespace().next()
}

/// Whether more than half of the letters are the same.
fn is_alike(a: &str, b: &str) -> bool {
    edit_distance(a, b) * 2 < a.len().max(b.len())
}

/// The first words of our own directives, also in usual wrong spellings.
const WORDS: &[&str] = &[
    "up", "down", "no-transaction", "notransaction", "no", "not", "function", "from", "phase",
    "allow", "replaces",
];

/// Words of a directive at any place.
const MARKS: &[&str] =
    &["up", "down", "undo", "rollback", "revert", "transaction", "section", "because"];

/// Whether what follows `migrate:` is a remark, such as ` mark the polls that are muted`: after a blank, with several
/// words, none of which is in a directive.
pub(super) fn is_remark(rest: &str) -> bool {
    let text = rest.trim_start();
    let Some((first, more)) = text.split_once(char::is_whitespace) else { return false };
    let first = first.to_ascii_lowercase();
    let near = |known: &&str| edit_distance(&first, known) <= if known.len() < 5 { 1 } else { 2 };
    let is_mark = |word: &str| MARKS.iter().any(|mark| mark.eq_ignore_ascii_case(word));
    text.len() < rest.len()
        && first.chars().count() < 32
        && !WORDS.iter().any(near)
        && !more.trim().is_empty()
        && !text.split(|c: char| !c.is_alphanumeric()).any(is_mark)
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
