//! The random generator: where a schedule, a jitter or a fault is drawn from.

use std::time::Duration;

/// A small random generator, for schedules and jitter. Not for secrets.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014
/// (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The stream of that name: to draw one more number from one stream changes nothing in the others.
    pub(crate) fn stream(seed: u64, name: &str) -> Rng {
        // FNV-1a.
        let name = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Rng(Rng(seed).next() ^ name)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is 2^64 at most.
    fn draw(&mut self, bound: u128) -> u64 {
        // The high half of the product; it is spread as evenly as the drawn number.
        ((u128::from(self.next()) * bound) >> 64) as u64
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.draw(bound as u128) as usize
    }

    /// A time from `min` to `max`, in a span of at most 584 years.
    pub(crate) fn between(&mut self, min: Duration, max: Duration) -> Duration {
        let width = max.saturating_sub(min).as_nanos().min(u64::MAX.into());
        min + Duration::from_nanos(self.draw(width + 1))
    }

    /// True in so many of a million times.
    pub(crate) fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < ppm as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_numbers_of_its_source() {
        let mut rng = Rng::new(1_234_567);
        let expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        assert_eq!([(); 4].map(|()| rng.next()), expected);
    }

    #[test]
    fn numbers_below_a_bound_are_all_drawn_and_about_equally_often() {
        let mut rng = Rng::new(1);
        let mut drawn = [0; 7];
        for _ in 0..7_000 {
            drawn[rng.below(7)] += 1;
        }
        assert!(drawn.iter().all(|&times| (900..1_100).contains(&times)), "{drawn:?}");
        assert!((0..100).all(|_| rng.below(1) == 0));
    }

    /// What is drawn must not depend on how wide a `usize` is, nor end at the longest span.
    #[test]
    fn a_span_of_time_is_drawn_whole() {
        let draw = |min, max| Rng::new(1_234_567).between(Duration::from_secs(min), max);
        assert_eq!(draw(0, Duration::from_secs(3_600)), Duration::from_nanos(1_260_286_351_277));
        assert_eq!(draw(10, Duration::from_secs(3_610)), Duration::from_nanos(1_270_286_351_277));
        let longest = Duration::from_nanos(u64::MAX);
        assert_eq!(draw(0, longest), Duration::from_nanos(6457827717110365317));
        assert_eq!(draw(0, Duration::MAX), draw(0, longest), "the clock ends there");
        assert_eq!(draw(3, Duration::from_secs(2)), Duration::from_secs(3));
    }
}
