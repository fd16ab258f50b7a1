//! Tables of tests: each case is a line, followed by what is expected of it.

use crate::check::SourceFile;

/// The cases in `table`, each with the results that are expected of it: `case => result`, or a line for the
/// case and deeper ones `=> result`. Other deeper lines continue the one above, and `\n` is a line feed.
pub(crate) fn cases(table: &str) -> Vec<(String, Vec<String>)> {
    let mut cases: Vec<(String, Vec<String>)> = Vec::new();
    let mut margin = None;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let margin = *margin.get_or_insert(indent);
        let line = line.trim().replace("\\n", "\n");
        let deeper = cases.last_mut().filter(|_| indent > margin);
        match (deeper, line.strip_prefix("=> "), line.split_once(" => ")) {
            (None, _, Some((case, result))) => {
                cases.push((case.to_owned(), vec![result.to_owned()]));
            }
            (None, ..) => cases.push((line, Vec::new())),
            (Some((_, results)), Some(result), _) => results.push(result.to_owned()),
            (Some((case, results)), None, _) => {
                results.last_mut().unwrap_or(case).extend([" ", &line]);
            }
        }
    }
    cases
}

/// Files with these paths and texts.
pub(crate) fn files(files: &[(&str, &str)]) -> Vec<SourceFile> {
    files.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect()
}

#[test]
fn lines_are_cases_results_or_more_of_either() {
    let found = cases("\n  a => b\n  c\n    d\n    => e\n      f\\n\n    => g\n  h\n");
    let expected = [("a", &["b"][..]), ("c d", &["e f\n", "g"]), ("h", &[])];
    let expected = expected.map(|(case, results)| {
        (case.to_owned(), results.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(found, expected);
}
