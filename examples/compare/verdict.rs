//! What the figures of a workload say: which side wins by the figure that decides, and whether the other figures agree.

use super::cells::{Cell, Group, Spread, title};
use super::common::{Figure, Style};
use super::plot::thousands;
use super::table::number;

/// How coroutines did against the best style that blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Shown first.
    Loses,
    CannotTell,
    Wins,
    /// A style that is needed to tell was not run, or failed.
    NotMeasured,
}

impl Standing {
    fn words(self) -> &'static str {
        match self {
            Standing::Loses => "async loses",
            Standing::CannotTell => "cannot tell",
            Standing::Wins => "async wins",
            Standing::NotMeasured => "not measured",
        }
    }
}

/// What is said of a workload.
pub(crate) struct Verdict {
    pub(crate) standing: Standing,
    /// The standing, and by which figure: "async wins by CPU time".
    pub(crate) short: String,
    /// What was measured of the figure that decides, and what follows.
    pub(crate) finding: String,
    /// Each other figure that is clear and does not say the same.
    pub(crate) against: String,
    /// The other figures, and the other styles.
    pub(crate) rest: String,
}

/// Compares coroutines with the best style that blocks, at the largest N.
pub(crate) fn verdict(group: &Group) -> Verdict {
    let decides = group.workload.decides;
    let (name, _) = title(decides);
    let n = format!("{} {}", thousands(group.largest()), group.workload.counts);
    let said = |standing: Standing, finding| Verdict {
        standing,
        short: format!("{} by {name}", standing.words()),
        finding,
        against: String::new(),
        rest: String::new(),
    };
    let Some((ours, theirs)) = contenders(group, decides) else {
        let finding = format!("At {n}, coroutines and a style that blocks were not both measured.");
        return Verdict {
            short: Standing::NotMeasured.words().into(),
            ..said(Standing::NotMeasured, finding)
        };
    };
    let (standing, reason) = judge(&ours, &theirs);
    let finding = format!(
        "At {n}, {name} was {} with coroutines and {} with {}, the best style that blocks. {}",
        ours.value(),
        theirs.value(),
        theirs.cell.style,
        match standing {
            Standing::Loses => format!("It was {}, and {reason}.", times(&ours, &theirs)),
            Standing::Wins => format!("It was {}, and {reason}.", times(&theirs, &ours)),
            _ => format!("This does not decide, because {reason}."),
        }
    );
    let mut verdict = said(standing, finding);
    for figure in others(decides) {
        // The best by another figure may be another style.
        let Some((ours, theirs)) = contenders(group, figure) else { continue };
        let (by_this, reason) = judge(&ours, &theirs);
        let name = capital(title(figure).0);
        let values =
            format!("{} with coroutines, {} with {}", ours.value(), theirs.value(), theirs.cell.style);
        if by_this == standing && standing != Standing::CannotTell {
            verdict.rest += &format!(" {name} says the same: {values}.");
        } else if by_this == Standing::CannotTell {
            verdict.rest += &format!(" {name} cannot tell: {values}; {reason}.");
        } else {
            let better = if by_this == Standing::Wins { "coroutines" } else { theirs.cell.style.name() };
            verdict.against += &format!(" {name} speaks for {better}: {values}.");
        }
    }
    let styles = [Style::Callbacks, Style::Blocking, Style::Tokio, Style::Asyncio].into_iter();
    let styles = styles.filter_map(|style| measured(group, style, decides));
    let styles: Vec<String> = styles.map(|it| format!("{} {}", it.cell.style, it.value())).collect();
    if !styles.is_empty() {
        verdict.rest += &format!(" By {name}, the other styles: {}.", styles.join(", "));
    }
    verdict
}

// ANCHOR: rule
/// A smaller ratio of medians is no difference.
const CLEAR: f64 = 1.10;

/// The ranges of fewer runs lie apart by chance.
const ENOUGH: usize = 3;

/// Whether coroutines clearly need more or less than the other style, and the reason.
fn judge(ours: &Measured<'_>, theirs: &Measured<'_>) -> (Standing, String) {
    if let Some(few) = [ours, theirs].into_iter().find(|it| it.cell.runs.len() < ENOUGH) {
        let (runs, style) = (few.cell.runs.len(), few.cell.style);
        return (Standing::CannotTell, format!("there are too few runs of {style} ({runs} of {ENOUGH})"));
    }
    let (our, their) = (ours.spread, theirs.spread);
    let ratio = our.median / their.median;
    if our.low <= their.high && their.low <= our.high {
        (Standing::CannotTell, "the ranges of their runs overlap".into())
    } else if ratio >= CLEAR {
        (Standing::Loses, "the ranges of their runs lie apart".into())
    } else if ratio <= 1.0 / CLEAR {
        (Standing::Wins, "the ranges of their runs lie apart".into())
    } else {
        (Standing::CannotTell, format!("their medians differ by less than {CLEAR} times"))
    }
}
// ANCHOR_END: rule

/// The style that has to run once more before `figure` can be judged: of the two that it compares, the one with fewer runs.
pub(crate) fn short_of_runs(group: &Group, figure: Figure) -> Option<Style> {
    let (ours, theirs) = contenders(group, figure)?;
    let fewer = [ours.cell, theirs.cell].into_iter().min_by_key(|cell| cell.runs.len())?;
    (fewer.runs.len() < ENOUGH).then_some(fewer.style)
}

/// The figures beside the one that decides.
pub(crate) fn others(decides: Figure) -> impl Iterator<Item = Figure> {
    let all = [Figure::Wall, Figure::Cpu, Figure::PeakMemory, Figure::P99].into_iter();
    // By operation, the CPU time has the same ratio.
    all.filter(move |figure| *figure != decides && (*figure, decides) != (Figure::Cpu, Figure::CpuEach))
}

/// A style at the largest N, by one figure.
struct Measured<'a> {
    cell: &'a Cell,
    spread: Spread,
    unit: &'static str,
}

impl Measured<'_> {
    /// The median, and the range if there is one: "27.0 ms (26.1 to 29.4)".
    fn value(&self) -> String {
        let [low, median, high] =
            [self.spread.low, self.spread.median, self.spread.high].map(|value| number(Some(value)));
        let range = if low == high { String::new() } else { format!(" ({low} to {high})") };
        format!("{median} {}{range}", self.unit)
    }
}

fn times(more: &Measured<'_>, less: &Measured<'_>) -> String {
    let ratio = number(Some(more.spread.median / less.spread.median));
    format!("{ratio} times as much with {}", more.cell.style)
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// A style at the largest N, if it was run at that and did not fail.
fn measured(group: &Group, style: Style, figure: Figure) -> Option<Measured<'_>> {
    let cell = group.at_largest(style).filter(|cell| cell.failure().is_none())?;
    Some(Measured { cell, spread: cell.figure(figure)?, unit: title(figure).1 })
}

/// Coroutines, and the best of the styles that block.
fn contenders(group: &Group, figure: Figure) -> Option<(Measured<'_>, Measured<'_>)> {
    let blocking = [Style::Sequential, Style::Threads, Style::Pool, Style::Processes];
    let blocking = blocking.into_iter().filter_map(|style| measured(group, style, figure));
    let best = blocking.min_by(|a, b| a.spread.median.total_cmp(&b.spread.median))?;
    Some((measured(group, Style::Coroutines, figure)?, best))
}
