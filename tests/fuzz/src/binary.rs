//! What is not text: the chunks of `mergesort`, the files of `photos`.

#[path = "../../../examples/photos/photo.rs"]
mod photo;
#[path = "../../../examples/mergesort/wire.rs"]
mod wire;

use std::time::Duration;

/// As chunks of integers and as a worker's answer.
pub fn chunks(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some(numbers)) = wire::read_chunk(&mut rest) {
        let chunk = wire::chunk(&numbers);
        assert_eq!(wire::read_chunk(&chunk[..]).ok().flatten(), Some(numbers));
    }
    if let Some((numbers, took)) = wire::parse_answer(bytes) {
        let answer = wire::answer(&numbers, took);
        assert!(answer.len() == wire::answer_length(numbers.len()) && bytes.starts_with(&answer));
        assert!(took <= Duration::from_nanos(u64::MAX));
    }
}

/// As a photo.
pub fn photo(bytes: &[u8]) {
    if let Some(thumbnail) = photo::thumbnail(bytes) {
        assert_eq!(thumbnail.0.len(), photo::THUMBNAIL * photo::THUMBNAIL * photo::CHANNELS);
    }
}
