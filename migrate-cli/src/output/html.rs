//! The status and the history as one self-contained HTML page. It has no scripts and loads nothing,
//! and its policy forbids both, so that text from a database cannot run.

use std::fmt::{self, Display, Write as _};

use migrate_runtime::internal::DatabasePlace;
use migrate_runtime::ledger::HistoryRow;

use super::json::StatusBody;
use super::style::shown;
use super::text::{counted, moment, took};

const STYLE: &str = include_str!("status.css");

/// A text escaped for an HTML element or a quoted attribute.
struct Escaped<'t>(&'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in shown(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The page.
pub(crate) fn page(place: &DatabasePlace, status: &StatusBody, history: &[HistoryRow]) -> String {
    let title = match &place.database {
        Some(database) => format!("Migrations of {}", Escaped(database)),
        None => format!("Migrations in {}", Escaped(&status.ledger)),
    };
    let server = place.server.iter().map(|server| format!("on {}, ", Escaped(server)));
    let server: String = server.collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p class=\"about\">{server}ledger {}, module {}</p>\n{}{}{}{}{}</body>\n</html>\n",
        Escaped(&status.ledger),
        Escaped(&status.module),
        summary(status),
        other_sets(status),
        drift(status),
        migrations(status),
        past(history),
    )
}

fn summary(status: &StatusBody) -> String {
    let (pending, drift) = (status.pending, status.drift.len());
    let applied = status.migrations.iter().filter(|row| row.state == "applied").count();
    let mut items = vec![("applied", format!("{applied} applied"))];
    if pending > 0 {
        items.push(("pending", format!("{pending} pending")));
    }
    if drift > 0 {
        items.push(("drift", format!("{} of drift", counted(drift, "case"))));
    }
    let mut list = String::new();
    for (class, text) in items {
        let _ = write!(list, "<li class=\"{class}\">{text}</li>");
    }
    format!("<ul class=\"summary\">{list}</ul>\n")
}

fn other_sets(status: &StatusBody) -> String {
    let note = status.other_sets();
    note.map_or_else(String::new, |note| format!("<p class=\"about\">{}</p>\n", Escaped(&note)))
}

fn drift(status: &StatusBody) -> String {
    if status.drift.is_empty() {
        return String::new();
    }
    let mut items = String::new();
    for drift in &status.drift {
        let (text, help) = (Escaped(&drift.message), Escaped(&drift.help));
        let _ = writeln!(items, "<li>{text}<br><b>help:</b> {help}</li>");
    }
    format!("<h2>Ledger and set disagree</h2>\n<ul class=\"cases\">\n{items}</ul>\n")
}

fn migrations(status: &StatusBody) -> String {
    let mut rows = String::new();
    for row in &status.migrations {
        let time = row.duration_ms.map(std::time::Duration::from_millis).map(took);
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td title=\"{}\">{}</td><td><span class=\"state {}\">{}</span></td>\
             <td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            Escaped(&row.version),
            Escaped(&row.file),
            Escaped(row.title()),
            row.state,
            row.state.replace('_', " "),
            time_of(row.applied_at.as_deref().unwrap_or_default()),
            time.unwrap_or_default(),
            Escaped(row.applied_by.as_deref().unwrap_or_default()),
        );
    }
    format!(
        "<h2>Migrations</h2>\n<table>\n<thead><tr><th>version</th><th>name</th><th>state</th>\
         <th>applied (UTC)</th><th class=\"number\">took</th><th>by</th></tr></thead>\n<tbody>\n\
         {rows}</tbody>\n</table>\n"
    )
}

/// The history, a line for each entry, with a bar for its time relative to the longest.
fn past(history: &[HistoryRow]) -> String {
    if history.is_empty() {
        return "<h2>History</h2>\n<p>The history is empty.</p>\n".to_owned();
    }
    let longest = history.iter().map(|row| row.duration.as_millis()).max().unwrap_or(0).max(1);
    let mut rows = String::new();
    for row in history {
        let percent = row.duration.as_millis() * 100 / longest;
        let act = row.act.as_str();
        let from = if row.application.is_empty() { "" } else { ", " };
        let _ = writeln!(
            rows,
            "<li class=\"{act}\"><time datetime=\"{}\">{}</time> <span class=\"state {act}\">{act}\
             </span> <b>{}</b> {} <span class=\"by\">by {}{from}{}</span><span class=\"bar\">\
             <span style=\"width:{percent}%\"></span></span><span class=\"took\">{}</span></li>",
            Escaped(&row.at),
            Escaped(&moment(&row.at)),
            Escaped(&row.version),
            Escaped(&row.name),
            Escaped(&row.by),
            Escaped(&row.application),
            took(row.duration),
        );
    }
    format!("<h2>History</h2>\n<ol class=\"past\">\n{rows}</ol>\n")
}

fn time_of(at: &str) -> String {
    if at.is_empty() {
        return String::new();
    }
    format!("<time datetime=\"{}\">{}</time>", Escaped(at), Escaped(&moment(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_database_is_escaped() {
        let hostile = "</td><script>alert(\"1\")</script>&'\u{1b}";
        let shown = Escaped(hostile).to_string();
        assert_eq!(
            shown,
            "&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\\u{1b}"
        );
    }
}
