//! Swim lanes as a drawing, with an arrow to each step from the one that it has its value, lock or wake-up from.

use std::fmt::Write;

use super::text::fit;
use super::{Picture, Row, RowKind, escape};

const LINE: usize = 17;
/// Of the text, in characters and in pixels. A character of a monospaced font of 13 pixels is at most 8 wide.
const CHARS: usize = 34;
const BOX: usize = CHARS * 8 + 16;
const GAP: usize = 36;
const LEFT: usize = 48;
const HEAD: usize = 76;

const STYLE: &str = "\
.il{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\
.il text{fill:#1c2430}.il .bg{fill:#fff}.il .soft{fill:#5b6675}.il .title{font-weight:700;font-size:14px}\
.il .lane{stroke:#cfd6df;stroke-width:2;stroke-dasharray:2 5}.il .head{fill:#e6eaf0}\
.il .step{fill:#f4f6f9;stroke:#cfd6df}.il .last{fill:#fff3d1;stroke:#b37a00;stroke-width:1.5}\
.il .failure{fill:#fde3e0;stroke:#c4281c;stroke-width:2}.il .from{fill:none;stroke:#2467b8;stroke-width:1.5}\
.il .tip{fill:#2467b8}\
@media (prefers-color-scheme:dark){.il text{fill:#e4e8ee}.il .bg{fill:#14181f}.il .soft{fill:#9aa5b3}\
.il .lane{stroke:#3a4452}.il .head{fill:#2a323d}.il .step{fill:#1d232c;stroke:#3a4452}\
.il .last{fill:#3a2f10;stroke:#d9a520}.il .failure{fill:#461a17;stroke:#ff6b5e}.il .from{stroke:#6fb1ff}\
.il .tip{fill:#6fb1ff}}";

struct Placed<'a> {
    row: &'a Row,
    lines: Vec<(String, bool)>,
    x: usize,
    y: usize,
    height: usize,
}

pub(crate) fn svg(picture: &Picture) -> String {
    let lanes = picture.lanes.len().max(1);
    let title = fit(&picture.title, (lanes * (BOX + GAP) + 160) / 9);
    let top = HEAD + (title.len() - 1) * LINE;
    let placed = place(picture, top);
    let bottom = placed.last().map_or(top, |last| last.y + last.height);
    let places = picture.rows.iter().map(|row| row.place.chars().count()).max().unwrap_or_default();
    let (width, height) = (LEFT + lanes * (BOX + GAP) + places * 8 + 12, bottom + 20);

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"il\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{label}\">\n<title>{label}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>\n",
        label = escape(&picture.title)
    );
    let mut line = |text: String| {
        out += &text;
        out.push('\n');
    };
    for (i, part) in title.iter().enumerate() {
        line(format!("<text class=\"title\" x=\"12\" y=\"{}\">{}</text>", 22 + i * LINE, escape(part)));
    }
    for (i, name) in picture.lanes.iter().enumerate() {
        let (x, y) = (LEFT + i * (BOX + GAP), top - 42);
        let middle = x + BOX / 2;
        line(format!(
            "<line class=\"lane\" x1=\"{middle}\" y1=\"{}\" x2=\"{middle}\" y2=\"{bottom}\"/>",
            y + 26
        ));
        line(format!("<rect class=\"head\" x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"26\" rx=\"13\"/>"));
        line(format!("<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>", y + 17, escape(name)));
    }
    for step in &placed {
        line(boxed(step, LEFT + lanes * (BOX + GAP)));
    }
    for step in &placed {
        if let Some(from) = step.row.from {
            line(arrow(&placed[from], step));
        }
    }
    out + "</svg>\n"
}

fn place(picture: &Picture, top: usize) -> Vec<Placed<'_>> {
    let mut y = top;
    let placed = picture.rows.iter().map(|row| {
        let Row { what, why, lane, .. } = row;
        let what = fit(what, CHARS).into_iter().map(|line| (line, false));
        let why = fit(why, CHARS).into_iter().filter(|line| !line.is_empty()).map(|line| (line, true));
        let lines: Vec<_> = what.chain(why).collect();
        let height = lines.len() * LINE + 9;
        let placed = Placed { row, lines, x: LEFT + lane * (BOX + GAP), y, height };
        y += height + 7;
        placed
    });
    placed.collect()
}

fn boxed(step: &Placed<'_>, places: usize) -> String {
    let class = match step.row.kind {
        RowKind::Step => "step",
        RowKind::Last => "last",
        RowKind::Failure => "failure",
    };
    let Placed { row, x, y, height, .. } = step;
    let mut out = format!("<g><title>{}</title>", escape(&row.source));
    let _ = write!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"{height}\" rx=\"5\"/>"
    );
    let text = y + LINE - 1;
    let _ =
        write!(out, "<text class=\"soft\" x=\"38\" y=\"{text}\" text-anchor=\"end\">{}</text>", row.number);
    for (i, (line, soft)) in step.lines.iter().enumerate() {
        let class = if *soft { " class=\"soft\"" } else { "" };
        let _ = write!(out, "<text{class} x=\"{}\" y=\"{}\">{}</text>", x + 8, text + i * LINE, escape(line));
    }
    let _ = write!(out, "<text class=\"soft\" x=\"{places}\" y=\"{text}\">{}</text></g>", escape(&row.place));
    out
}

/// From the side of one box to the side of another, which is on another lane.
fn arrow(from: &Placed<'_>, to: &Placed<'_>) -> String {
    let to_right = from.x < to.x;
    let (start, end) = if to_right { (from.x + BOX, to.x) } else { (from.x, to.x + BOX) };
    let (start_y, end_y) = (from.y + from.height / 2, to.y + to.height.min(2 * LINE) / 2);
    let (bend, tip) = if to_right { (start + GAP, end - 7) } else { (start - GAP, end + 7) };
    let before = if to_right { end - GAP } else { end + GAP };
    format!(
        "<path class=\"from\" d=\"M{start} {start_y} C{bend} {start_y} {before} {end_y} {tip} {end_y}\"/>\
         <path class=\"tip\" d=\"M{end} {end_y} L{tip} {} L{tip} {} Z\"/>",
        end_y - 4,
        end_y + 4
    )
}
