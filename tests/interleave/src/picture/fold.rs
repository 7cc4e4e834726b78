//! Steps that repeat are shown once: a loop that waits would otherwise fill screen after screen.

use super::{Row, RowKind};

/// The longest round that is looked for, in steps.
const LONGEST: usize = 12;
/// A round that comes less often is shown as it is.
const LEAST: usize = 3;

/// The rows, with one row for all rounds of a loop but the first.
pub(super) fn fold(rows: Vec<Row>) -> Vec<Row> {
    let mut folded: Vec<Row> = Vec::new();
    // Where each row is now.
    let mut now = vec![0; rows.len()];
    let mut at = 0;
    while at < rows.len() {
        let (length, times) = rounds(&rows[at..]).unwrap_or((1, 1));
        let end = at + length * times;
        for (row, place) in rows[at..at + length].iter().zip(&mut now[at..]) {
            *place = folded.len();
            folded.push(row.clone());
        }
        if times > 1 {
            now[at + length..end].fill(folded.len());
            folded.push(again(&rows[at + length..end], length, times - 1));
        }
        at = end;
    }
    for row in &mut folded {
        row.from = row.from.map(|from| now[from]);
    }
    let lanes: Vec<usize> = folded.iter().map(|row| row.lane).collect();
    for row in &mut folded {
        // An arrow leads from one lane to another.
        row.from = row.from.filter(|&from| lanes[from] != row.lane);
    }
    folded
}

/// How long a round is that these rows begin with, and how often it comes.
fn rounds(rows: &[Row]) -> Option<(usize, usize)> {
    let times = |length: usize| {
        let first = rows.get(..length)?;
        let times =
            rows.chunks_exact(length).take_while(|round| round.iter().zip(first).all(|(a, b)| same(a, b)));
        Some((length, times.count()))
    };
    (1..=LONGEST).filter_map(times).find(|(_, times)| *times >= LEAST)
}

/// Whether one row says what the other says, but for the steps that it names.
fn same(one: &Row, other: &Row) -> bool {
    one.kind == RowKind::Step
        && (one.lane, one.kind, &one.place, &one.what) == (other.lane, other.kind, &other.place, &other.what)
        && without_steps(&one.why) == without_steps(&other.why)
}

fn without_steps(why: &str) -> String {
    let mut parts = why.split("step ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "step " + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The row for all these, which are so many rounds of this length.
fn again(rows: &[Row], length: usize, rounds: usize) -> Row {
    let (first, last) = (&rows[0], rows[rows.len() - 1].number);
    let these = if length == 1 { "this step".into() } else { format!("these {length} steps") };
    Row {
        what: format!("{these} again, {rounds} times"),
        why: format!("steps {} to {last}", first.number),
        place: String::new(),
        source: String::new(),
        from: None,
        last,
        ..first.clone()
    }
}
