//! Swim lanes as a page: a table of lanes, and on a narrow screen one column in which each step says whose it is.

use std::fmt::Write;

use super::{Picture, Row, RowKind, escape};

const STYLE: &str = "\
:root{color-scheme:light dark;--bg:#fff;--ink:#1c2430;--soft:#5b6675;--line:#d5dbe3;--step:#f4f6f9;--last:#fff3d1;\
--last-edge:#b37a00;--bad:#fde3e0;--bad-edge:#c4281c;--link:#1d5aa6}\
@media (prefers-color-scheme:dark){:root{--bg:#14181f;--ink:#e4e8ee;--soft:#9aa5b3;--line:#3a4452;--step:#1d232c;\
--last:#3a2f10;--last-edge:#d9a520;--bad:#461a17;--bad-edge:#ff6b5e;--link:#8fc1ff}}\
body{margin:0 auto;padding:1rem;max-width:100rem;background:var(--bg);color:var(--ink);\
font:15px/1.45 system-ui,sans-serif}h1{font-size:1.15rem;overflow-wrap:anywhere}\
table{width:100%;border-collapse:separate;border-spacing:0 4px;table-layout:fixed}\
th{padding:.3rem .5rem;text-align:left;border-bottom:2px solid var(--line)}\
th:first-child,td.n{width:2.5rem;text-align:right;color:var(--soft)}th.p,td.p{width:32%;color:var(--soft)}\
td{padding:.3rem .5rem;vertical-align:top;overflow-wrap:anywhere}\
td.s{background:var(--step);border:1px solid var(--line);border-radius:5px}\
tr.last td.s{background:var(--last);border-color:var(--last-edge)}\
tr.failure td.s{background:var(--bad);border:2px solid var(--bad-edge)}\
tr:target td.s{outline:3px solid var(--link)}\
code{font:13px/1.4 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\
.why,.src{display:block;color:var(--soft)}.lane{display:none}a{color:var(--link)}\
@media (max-width:45rem){table,tbody,tr,td{display:block}thead,td.e{display:none}tr{margin:.5rem 0}\
td.n{width:auto;text-align:left;padding:0}td.n::before{content:'step '}td.p{width:auto;padding:.1rem 0}\
.lane{display:block;font-weight:600}td.s{margin-left:calc(var(--lane)*.9rem)}}";

pub(crate) fn html(picture: &Picture) -> String {
    let title = escape(&picture.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n<table>\n<thead><tr><th scope=\"col\">step</th>"
    );
    for lane in &picture.lanes {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(lane));
    }
    out += "<th class=\"p\" scope=\"col\">where</th></tr></thead>\n<tbody>\n";
    for row in &picture.rows {
        out += &line(picture, row);
    }
    out + "</tbody>\n</table>\n</html>\n"
}

fn line(picture: &Picture, row: &Row) -> String {
    let class = match row.kind {
        RowKind::Step => "step",
        RowKind::Last => "last",
        RowKind::Failure => "failure",
    };
    let mut out = format!("<tr id=\"s{0}\" class=\"{class}\"><td class=\"n\">{0}</td>", row.number);
    for (i, lane) in picture.lanes.iter().enumerate() {
        if i != row.lane {
            out += "<td class=\"e\"></td>";
            continue;
        }
        let _ =
            write!(out, "<td class=\"s\" style=\"--lane:{i}\"><span class=\"lane\">{}</span>", escape(lane));
        let _ = write!(out, "<code>{}</code>", escape(&row.what));
        if !row.why.is_empty() {
            let _ = write!(out, "<span class=\"why\">{}</span>", linked(picture, &row.why));
        }
        out += "</td>";
    }
    let (place, source) = (escape(&row.place), escape(&row.source));
    let _ = writeln!(out, "<td class=\"p\">{place}<code class=\"src\">{source}</code></td></tr>");
    out
}

/// Text in which every `step 3` leads to that step, or to the row that stands for it.
fn linked(picture: &Picture, text: &str) -> String {
    let mut parts = text.split("step ");
    let mut out = escape(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        out += &match number {
            "" => "step ".to_owned(),
            _ => {
                let row = number
                    .parse()
                    .ok()
                    .and_then(|step: usize| picture.rows.iter().find(|row| step <= row.last));
                let row = row.map_or(0, |row| row.number);
                format!("<a href=\"#s{row}\">step {number}</a>")
            }
        };
        out += &escape(rest);
    }
    out
}
