//! Swim lanes in a terminal.

use super::{Picture, Row, RowKind};

/// Of a longer execution the end is shown; the page has all.
const MOST: usize = 40;

pub(crate) fn text(picture: &Picture, width: usize, colours: bool) -> String {
    let skipped = picture.rows.len().saturating_sub(MOST);
    let rows = &picture.rows[skipped..];
    let places = rows.iter().map(|row| row.place.chars().count()).max().unwrap_or_default();
    let lanes = picture.lanes.len().max(1);
    let longest = rows.iter().flat_map(|row| [&row.what, &row.why]).chain(&picture.lanes);
    let longest = longest.map(|text| text.chars().count()).max().unwrap_or_default();
    // Number, mark and the strokes between the columns.
    let free = width.saturating_sub(places + 7 + 3 * lanes) / lanes;
    let column = longest.min(free).max(14);

    let mut out = format!("{}\n\n", picture.title);
    let strokes: Vec<String> = picture.lanes.iter().map(|lane| pad(&fit(lane, column)[0], column)).collect();
    out += format!("       {}\n", strokes.join(" | ")).as_str();
    out += &format!("     --{}--\n", vec!["-".repeat(column); lanes].join("-+-"));
    if skipped > 0 {
        out += &format!("       ({skipped} earlier steps: see the page)\n");
    }
    for row in rows {
        let style = match (colours, row.kind) {
            (false, _) => "",
            (true, RowKind::Step) => "",
            (true, RowKind::Last) => "\x1b[1m",
            (true, RowKind::Failure) => "\x1b[1;31m",
        };
        for line in lines(picture, row, column) {
            out += style;
            out += line.trim_end();
            out += if style.is_empty() { "\n" } else { "\x1b[0m\n" };
        }
    }
    out
}

/// The lines of one row.
fn lines(picture: &Picture, row: &Row, column: usize) -> Vec<String> {
    let mut cell = fit(&row.what, column);
    if !row.why.is_empty() {
        cell.extend(fit(&row.why, column - 2).into_iter().map(|line| format!("  {line}")));
    }
    let mark = match row.kind {
        RowKind::Step => ' ',
        RowKind::Last => '>',
        RowKind::Failure => '!',
    };
    let line = |(i, content): (usize, String)| {
        let cells = (0..picture.lanes.len().max(1)).map(|lane| match lane == row.lane {
            true => pad(&content, column),
            false => " ".repeat(column),
        });
        let (head, place) = match i {
            0 => (format!("{mark}{:>4}  ", row.number), row.place.as_str()),
            _ => ("       ".into(), ""),
        };
        format!("{head}{}   {place}", cells.collect::<Vec<_>>().join(" | "))
    };
    cell.into_iter().enumerate().map(line).collect()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
}

/// Text in lines of at most this width, broken at spaces where it can be.
pub(super) fn fit(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let line = lines.last_mut().expect("one line at least");
        let free = width.saturating_sub(line.chars().count() + usize::from(!line.is_empty()));
        if word.len() <= free {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.last_mut().expect("one line at least").extend(word);
            lines.push(String::new());
            word = rest;
        }
        lines.last_mut().expect("one line at least").extend(word);
    }
    lines
}
