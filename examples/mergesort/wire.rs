//! What goes over TCP: chunks of integers, and their answers.
//!
//! ```text
//! chunk:   count (u32)                              count integers (i64)     all little-endian
//! answer:  nanoseconds of processor time (u64)      the same integers, sorted
//! ```
//! The process that asked knows the length of the answer.

use std::io::{ErrorKind, Read, Result};
use std::time::Duration;

/// The bytes of a chunk on its way to a worker.
pub(crate) fn chunk(numbers: &[i64]) -> Vec<u8> {
    let count = u32::try_from(numbers.len()).expect("the arguments allow fewer");
    let mut bytes = Vec::with_capacity(4 + 8 * numbers.len());
    bytes.extend(count.to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

/// So many bytes are reserved for a chunk before any of it is there.
const MOST_AT_FIRST: u64 = 8 << 20;

/// The next chunk, or `None` at the end. Memory grows with what arrives, not with what the count promises.
///
/// # Errors
///
/// When the connection fails, or ends within a chunk.
pub(crate) fn read_chunk(mut from: impl Read) -> Result<Option<Vec<i64>>> {
    let mut count = [0; 4];
    match from.read_exact(&mut count) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = 8 * u64::from(u32::from_le_bytes(count));
    let mut bytes = Vec::with_capacity(length.min(MOST_AT_FIRST) as usize);
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(integers(&bytes)))
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
