//! One sentence a workload, which the numbers choose.

use super::cells::{Cell, Group, Spread, title};
use super::common::{Figure, Style};
use super::plot::thousands;
use super::table::number;

/// How coroutines did against the best style that blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Shown first.
    Loses,
    Ties,
    Wins,
    /// A style that is needed to tell was not run, or failed.
    Unknown,
}

impl Standing {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Standing::Loses => "async loses",
            Standing::Ties => "even",
            Standing::Wins => "async wins",
            Standing::Unknown => "undecided",
        }
    }
}

// ANCHOR: tie
/// Below this ratio nobody has won: where all runs of the one lie apart from all of the other, and where they do not.
const TIE: f64 = 1.10;
const TIE_OVERLAPPING: f64 = 2.0;
// ANCHOR_END: tie

/// Compares coroutines with the best style that blocks, by the workload's own figure, at the largest N.
pub(crate) fn verdict(group: &Group) -> (Standing, String) {
    let decides = group.workload.decides;
    let (name, unit) = title(decides);
    let n = format!("{} {}", thousands(group.largest()), group.workload.counts);
    let (Some((ours, our)), Some((theirs, their))) =
        (measured(group, Style::Coroutines, decides), best_that_blocks(group, decides))
    else {
        return (
            Standing::Unknown,
            format!("At {n}, coroutines and a style that blocks were not both measured."),
        );
    };
    let ratio = our.median / their.median;
    // Where the runs of the two overlap, or are too few to tell whether they do, it takes more to tell them apart.
    let enough = ours.runs.len() >= 3 && theirs.runs.len() >= 3;
    let apart = enough && (our.low > their.high || their.low > our.high);
    let tie = if apart { TIE } else { TIE_OVERLAPPING };
    let value = |spread: Spread| format!("{} {unit}", number(Some(spread.median)));
    let mut sentence = format!(
        "At {n}, {name} was {} with coroutines and {} with {}, the best style that blocks: ",
        value(our),
        value(their),
        theirs.style
    );
    let standing = if ratio >= tie {
        sentence += &format!("coroutines needed {} times as much.", number(Some(ratio)));
        Standing::Loses
    } else if ratio <= 1.0 / tie {
        sentence += &format!("{} needed {} times as much.", theirs.style, number(Some(1.0 / ratio)));
        Standing::Wins
    } else {
        sentence += "no clear difference.";
        Standing::Ties
    };
    // The best by another figure may be another style.
    for figure in
        [Figure::Wall, Figure::Cpu, Figure::PeakMemory].into_iter().filter(|figure| *figure != decides)
    {
        if let Some((our, (theirs, their))) = ours.figure(figure).zip(best_that_blocks(group, figure)) {
            let (name, unit) = title(figure);
            let [our, their] = [our, their].map(|spread| number(Some(spread.median)));
            let name = name[..1].to_uppercase() + &name[1..];
            sentence += &format!(" {name}: {our} {unit} against {their} ({}).", theirs.style);
        }
    }
    let others = [Style::Callbacks, Style::Blocking, Style::Tokio, Style::Asyncio].into_iter();
    let others = others.filter_map(|style| measured(group, style, decides));
    let others: Vec<String> =
        others.map(|(cell, spread)| format!("{} {}", cell.style, value(spread))).collect();
    if !others.is_empty() {
        sentence += &format!(" By {name}, the others: {}.", others.join(", "));
    }
    (standing, sentence)
}

/// A style at the largest N, if it was run at that and did not fail.
fn measured(group: &Group, style: Style, figure: Figure) -> Option<(&Cell, Spread)> {
    let cell = group.at_largest(style).filter(|cell| cell.failure().is_none())?;
    Some((cell, cell.figure(figure)?))
}

fn best_that_blocks(group: &Group, figure: Figure) -> Option<(&Cell, Spread)> {
    let blocking = [Style::Sequential, Style::Threads, Style::Pool, Style::Processes];
    let measured = blocking.into_iter().filter_map(|style| measured(group, style, figure));
    measured.min_by(|a, b| a.1.median.total_cmp(&b.1.median))
}
