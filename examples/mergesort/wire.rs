//! What goes over TCP: chunks of integers, and their answers.
//!
//! ```text
//! chunk:   count (u32)                              count integers (i64)     all little-endian
//! answer:  nanoseconds of processor time (u64)      the same integers, sorted
//! ```
//! The length of the answer is known to whoever asked.

use std::time::Duration;

/// The bytes of a chunk on its way to a worker.
pub(crate) fn chunk(numbers: &[i64]) -> Vec<u8> {
    let count = u32::try_from(numbers.len()).expect("the arguments allow fewer");
    let mut bytes = Vec::with_capacity(4 + 8 * numbers.len());
    bytes.extend(count.to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

/// The bytes of a worker's answer.
pub(crate) fn answer(numbers: &[i64], took: Duration) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + 8 * numbers.len());
    bytes.extend(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

/// How many bytes the answer to a chunk of so many integers has.
pub(crate) fn answer_length(count: usize) -> usize {
    8 + 8 * count
}

/// The other way: a worker's answer from its bytes.
pub(crate) fn parse_answer(bytes: &[u8]) -> Option<(Vec<i64>, Duration)> {
    let (nanos, numbers) = bytes.split_first_chunk()?;
    Some((integers(numbers), Duration::from_nanos(u64::from_le_bytes(*nanos))))
}

/// Integers from their bytes.
pub(crate) fn integers(bytes: &[u8]) -> Vec<i64> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|number| i64::from_le_bytes(*number)).collect()
}
