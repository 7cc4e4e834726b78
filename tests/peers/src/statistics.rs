//! Medians and ratios over rounds, and whether they reach what is asked.

use crate::rounds::{Measured, Program};
use crate::rows::{Against, Limit};
use crate::runtimes::Peer;
use crate::sample::Sample;
use crate::spread::Spread;

/// The verdict on one row.
pub(crate) struct Verdict {
    /// cotask's figure divided by that of what the row is measured against.
    pub(crate) ratio: Option<Spread>,
    /// `None` where a figure that it needs is missing.
    pub(crate) met: Option<bool>,
    /// What is missed, in words.
    pub(crate) missed: Vec<String>,
}

const COTASK: Program = Program::Peer(Peer::Cotask);

impl Measured {
    /// Median over the rounds of one figure of a program's samples.
    pub(crate) fn median(&self, program: Program, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let samples = &self.column(program)?.samples;
        Spread::of(samples.iter().flatten().filter_map(figure).collect()).map(|spread| spread.median)
    }

    /// One program's figure divided by another's of the same round, over the rounds.
    pub(crate) fn ratio(&self, one: Program, other: Program) -> Option<Spread> {
        let one = &self.column(one)?.samples;
        let other = &self.column(other)?.samples;
        let ratio = |(ours, theirs): (&Option<Sample>, &Option<Sample>)| {
            Some(ours.as_ref()?.value / theirs.as_ref()?.value)
        };
        Spread::of(one.iter().zip(other).filter_map(ratio).collect())
    }

    /// Whether cotask reaches here what is asked of it.
    pub(crate) fn verdict(&self) -> Verdict {
        let reach = self.row.reach();
        let (ratio, name) = match reach.against {
            Against::Tokio => (self.ratio(COTASK, Program::Peer(Peer::Tokio)), "tokio's"),
            Against::WithoutRecorder => {
                (self.ratio(COTASK, Program::WithoutRecorder), "its own without the recorder")
            }
            // Half the time a request is twice the rate.
            Against::OneCore => (self.ratio(Program::OnOneCore, COTASK), "its own rate on one core"),
        };
        let mut limits = vec![(ratio, reach.limit, name.to_owned())];
        limits.extend(reach.also.iter().map(|&(peer, most)| {
            (self.ratio(COTASK, Program::Peer(peer)), Limit::AtMost(most), format!("{}'s", peer.name()))
        }));
        let broken = |(ratio, limit, name): &(Option<Spread>, Limit, String)| {
            let median = ratio.as_ref()?.median;
            (!limit.is_kept_by(median)).then(|| format!("{median:.3} of {name}, to be {limit}"))
        };
        let missed: Vec<_> = limits.iter().filter_map(broken).collect();
        Verdict { ratio, met: ratio.map(|_| missed.is_empty()), missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Column;
    use crate::rows::Row;

    /// A row with one sample a round for each of the programs named.
    fn measured(row: Row, figures: &[(Program, &[f64])]) -> Measured {
        let sample = |&value: &f64| Some(Sample { value, wall: None });
        let column = |&(program, values): &(Program, &[f64])| Column {
            program,
            samples: values.iter().map(sample).collect(),
            absent: None,
        };
        Measured { row, columns: figures.iter().map(column).collect() }
    }

    const TOKIO: Program = Program::Peer(Peer::Tokio);
    const SMOL: Program = Program::Peer(Peer::Smol);

    #[test]
    fn a_ratio_divides_figures_of_the_same_round() {
        // The machine slows down by half between the rounds; each round's ratio is the same all the while.
        let measured =
            measured(Row::Yield2, &[(COTASK, &[10.0, 15.0, 20.0]), (TOKIO, &[100.0, 150.0, 200.0])]);
        let ratio = measured.ratio(COTASK, TOKIO).unwrap();
        assert_eq!([ratio.lower, ratio.median, ratio.upper], [0.1, 0.1, 0.1]);
    }

    #[test]
    fn a_row_is_met_when_every_limit_is_kept() {
        let verdict =
            measured(Row::Yield2, &[(COTASK, &[10.0]), (TOKIO, &[100.0]), (SMOL, &[50.0])]).verdict();
        assert_eq!((verdict.met, verdict.missed.len()), (Some(true), 0));
    }

    #[test]
    fn a_row_names_each_limit_that_it_misses() {
        let verdict =
            measured(Row::Yield2, &[(COTASK, &[60.0]), (TOKIO, &[100.0]), (SMOL, &[50.0])]).verdict();
        assert_eq!(verdict.met, Some(false));
        assert_eq!(
            verdict.missed,
            ["0.600 of tokio's, to be at most 0.12", "1.200 of smol's, to be at most 1.00"]
        );
    }

    #[test]
    fn a_row_without_its_yardstick_is_neither_met_nor_missed() {
        let verdict = measured(Row::Yield2, &[(COTASK, &[60.0]), (SMOL, &[90.0])]).verdict();
        assert_eq!((verdict.met, verdict.ratio.is_none()), (None, true));
    }

    #[test]
    fn two_cores_are_measured_by_their_rate() {
        let one = Program::OnOneCore;
        let verdict = measured(Row::Cores2, &[(COTASK, &[1_000.0]), (one, &[1_900.0])]).verdict();
        assert_eq!((verdict.ratio.unwrap().median, verdict.met), (1.9, Some(true)));
        let verdict = measured(Row::Cores2, &[(COTASK, &[1_000.0]), (one, &[1_500.0])]).verdict();
        assert_eq!(verdict.missed, ["1.500 of its own rate on one core, to be at least 1.80"]);
    }
}
