//! Medians, quartiles and ratios over rounds, and whether they reach what is asked.

use crate::rounds::{Measured, Program};
use crate::rows::Against;
use crate::runtimes::Peer;
use crate::sample::Sample;

/// A median with the quartiles on either side of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Spread {
    /// `None` where there are no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Spread { lower: at(0.25), median: at(0.5), upper: at(0.75) })
    }
}

/// The verdict on one row.
pub(crate) struct Verdict {
    /// cotask's figure divided by that of what the row is measured against.
    pub(crate) ratio: Option<Spread>,
    /// `None` where a figure that it needs is missing.
    pub(crate) met: Option<bool>,
    /// What is missed, in words.
    pub(crate) missed: Vec<String>,
}

impl Measured {
    /// Median over the rounds of one figure of a program's samples.
    pub(crate) fn median(&self, program: Program, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let samples = &self.column(program)?.samples;
        Spread::of(samples.iter().flatten().filter_map(figure).collect()).map(|spread| spread.median)
    }

    /// cotask's figure divided by another's of the same round, over the rounds.
    pub(crate) fn ratio(&self, other: Program) -> Option<Spread> {
        let cotask = &self.column(Program::Peer(Peer::Cotask))?.samples;
        let other = &self.column(other)?.samples;
        let ratio = |(ours, theirs): (&Option<Sample>, &Option<Sample>)| {
            Some(ours.as_ref()?.value / theirs.as_ref()?.value)
        };
        Spread::of(cotask.iter().zip(other).filter_map(ratio).collect())
    }

    /// Whether cotask reaches here what is asked of it.
    pub(crate) fn verdict(&self) -> Verdict {
        let reach = self.row.reach();
        let (against, name) = match reach.against {
            Against::Tokio => (Program::Peer(Peer::Tokio), "tokio".to_owned()),
            Against::Itself => (Program::WithoutRecorder, "itself without the recorder".to_owned()),
        };
        let ratio = self.ratio(against);
        let mut limits = vec![(ratio, reach.at_most, name)];
        limits.extend(
            reach.also.iter().map(|&(peer, at_most)| (self.ratio(Program::Peer(peer)), at_most, peer.name())),
        );
        let exceeded = |(ratio, at_most, name): &(Option<Spread>, f64, String)| {
            let median = ratio.as_ref()?.median;
            (median > *at_most).then(|| format!("{median:.3} of {name}, to be at most {at_most:.2}"))
        };
        let missed: Vec<_> = limits.iter().filter_map(exceeded).collect();
        Verdict { ratio, met: ratio.map(|_| missed.is_empty()), missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Column;
    use crate::rows::Row;

    fn spread(values: &[f64]) -> [f64; 3] {
        let spread = Spread::of(values.to_vec()).unwrap();
        [spread.lower, spread.median, spread.upper]
    }

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

    const COTASK: Program = Program::Peer(Peer::Cotask);
    const TOKIO: Program = Program::Peer(Peer::Tokio);
    const SMOL: Program = Program::Peer(Peer::Smol);

    #[test]
    fn quartiles_lie_between_the_values_beside_them() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), [1.5, 2.0, 2.5]);
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), [1.75, 2.5, 3.25]);
        assert_eq!(spread(&[7.0]), [7.0, 7.0, 7.0]);
        assert!(Spread::of(Vec::new()).is_none());
    }

    #[test]
    fn a_ratio_divides_figures_of_the_same_round() {
        // The machine slows down by half between the rounds; each round's ratio is the same all the while.
        let measured =
            measured(Row::Yield2, &[(COTASK, &[10.0, 15.0, 20.0]), (TOKIO, &[100.0, 150.0, 200.0])]);
        let ratio = measured.ratio(TOKIO).unwrap();
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
            ["0.600 of tokio, to be at most 0.12", "1.200 of smol, to be at most 1.00"]
        );
    }

    #[test]
    fn a_row_without_its_yardstick_is_neither_met_nor_missed() {
        let verdict = measured(Row::Yield2, &[(COTASK, &[60.0]), (SMOL, &[90.0])]).verdict();
        assert_eq!((verdict.met, verdict.ratio.is_none()), (None, true));
    }
}
