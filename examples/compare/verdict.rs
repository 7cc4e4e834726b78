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
            Standing::Ties => "no difference",
            Standing::Wins => "async wins",
            Standing::Unknown => "undecided",
        }
    }
}

/// Below this difference nobody has won.
const TIE: f64 = 1.10;

/// Compares coroutines with the best style that blocks, by the workload's own figure, at the largest N.
pub(crate) fn verdict(group: &Group) -> (Standing, String) {
    let decides = group.workload.decides;
    let (name, unit) = title(decides);
    let n = format!("{} {}", thousands(group.largest()), group.workload.counts);
    let measured = |style: Style| -> Option<(&Cell, Spread)> {
        let cell = group.at_largest(style).filter(|cell| cell.failure().is_none())?;
        Some((cell, cell.figure(decides)?))
    };
    let blocking = [Style::Sequential, Style::Threads, Style::Pool, Style::Processes];
    let best = blocking.into_iter().filter_map(measured).min_by(|a, b| a.1.median.total_cmp(&b.1.median));
    let (Some((ours, our)), Some((theirs, their))) = (measured(Style::Coroutines), best) else {
        return (
            Standing::Unknown,
            format!("At {n}, coroutines and a style that blocks were not both measured."),
        );
    };
    let ratio = our.median / their.median;
    let apart = our.low > their.high || their.low > our.high;
    let standing = match ratio {
        _ if !apart => Standing::Ties,
        ratio if ratio >= TIE => Standing::Loses,
        ratio if ratio <= 1.0 / TIE => Standing::Wins,
        _ => Standing::Ties,
    };
    let value = |spread: Spread| format!("{} {unit}", number(Some(spread.median)));
    let than = format!("{} ({})", theirs.style, value(their));
    let mut sentence = format!("At {n}, coroutines needed {} of {name}, ", value(our));
    sentence += &match standing {
        Standing::Loses => {
            format!("{} times as much as the best style that blocks, {than}", number(Some(ratio)))
        }
        Standing::Wins => format!(
            "where the best style that blocks, {than}, needed {} times as much",
            number(Some(1.0 / ratio))
        ),
        _ => format!("which is no clear difference from the best style that blocks, {than}"),
    };
    let others =
        [Style::Callbacks, Style::Blocking, Style::Tokio, Style::Asyncio].into_iter().filter_map(measured);
    let others: Vec<String> =
        others.map(|(cell, spread)| format!("{} {}", cell.style, value(spread))).collect();
    if !others.is_empty() {
        sentence += &format!("; {}", others.join(", "));
    }
    sentence.push('.');
    for figure in [Figure::Wall, Figure::Cpu, Figure::PeakRss].into_iter().filter(|figure| *figure != decides)
    {
        if let Some((our, their)) = ours.figure(figure).zip(theirs.figure(figure)) {
            let (name, unit) = title(figure);
            let [our, their] = [our, their].map(|spread| number(Some(spread.median)));
            let name = name[..1].to_uppercase() + &name[1..];
            sentence += &format!(" {name}: {our} against {their} {unit}.");
        }
    }
    (standing, sentence)
}
