//! Medians and quartiles. The guests of `tests/ecosystem` are measured with this file as well.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> [f64; 3] {
        let spread = Spread::of(values.to_vec()).unwrap();
        [spread.lower, spread.median, spread.upper]
    }

    #[test]
    fn quartiles_lie_between_the_values_beside_them() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), [1.5, 2.0, 2.5]);
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), [1.75, 2.5, 3.25]);
        assert_eq!(spread(&[7.0]), [7.0, 7.0, 7.0]);
        assert!(Spread::of(Vec::new()).is_none());
    }
}
