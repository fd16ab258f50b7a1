//! The lines in which two texts differ.

/// How many lines are compared one by one, squared; more are shown as a whole.
const MOST: usize = 2000;

/// The lines of `old` that are not in `new`, with `-` before them, and those of `new` that are not in `old`,
/// with `+`, in their order. Ends of lines do not count.
pub(crate) fn differences(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let pairs = old.iter().zip(&new);
    let before = pairs.take_while(|(one, other)| one == other).count();
    let (old, new) = (&old[before..], &new[before..]);
    let pairs = old.iter().rev().zip(new.iter().rev());
    let after = pairs.take_while(|(one, other)| one == other).count();
    let (old, new) = (&old[..old.len() - after], &new[..new.len() - after]);
    if old.len().max(new.len()) > MOST {
        let removed = old.iter().map(|line| format!("-{line}"));
        return removed.chain(new.iter().map(|line| format!("+{line}"))).collect();
    }
    let common = common(old, new);
    let mut lines = Vec::new();
    let (mut from, mut to) = (0, 0);
    while from < old.len() || to < new.len() {
        if from < old.len() && to < new.len() && old[from] == new[to] {
            (from, to) = (from + 1, to + 1);
        } else if to == new.len()
            || from < old.len() && common[from + 1][to] >= common[from][to + 1]
        {
            lines.push(format!("-{}", old[from]));
            from += 1;
        } else {
            lines.push(format!("+{}", new[to]));
            to += 1;
        }
    }
    lines
}

/// The length of the longest common sequence of lines from each pair of lines on.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<u16>> {
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for from in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            common[from][to] = if old[from] == new[to] {
                common[from + 1][to + 1] + 1
            } else {
                common[from + 1][to].max(common[from][to + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_lines_are_listed_in_order() {
        let check = |old: &str, new: &str, expected: &[&str]| {
            assert_eq!(differences(old, new), expected, "{old:?} {new:?}");
        };
        check("", "", &[]);
        check("a\r\nb\r\n", "a\nb\n", &[]);
        check("", "a\n", &["+a"]);
        check("a\nb\nc\n", "a\nx\nc\n", &["-b", "+x"]);
        check("a\nb\nc\nd\n", "b\nd\ne\n", &["-a", "-c", "+e"]);
        check("a\nb\na\nb\n", "b\na\nb\na\n", &["-a", "+a"]);
        let many = |word: &str| vec![word; MOST + 1].join("\n");
        assert_eq!(differences(&many("a"), &many("b")).len(), 2 * (MOST + 1));
    }
}
