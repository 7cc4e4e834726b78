//! The messages of `rates`.

#[path = "../../../examples/rates/protocol.rs"]
mod protocol;

use protocol::{Incoming, MOST_PAIRS, Pair};

/// As a request and as an answer.
pub fn messages(bytes: &[u8]) {
    crate::arrive(bytes, &mut Incoming::new(), Incoming::room, |incoming, read| match incoming.path(read) {
        Ok(Some(path)) => {
            if let Some(pair) = Pair::of_path(&path) {
                assert_eq!(protocol::path(pair), path);
                assert!((0..MOST_PAIRS).any(|number| Pair::new(number) == pair));
            }
            false
        }
        Ok(None) => true,
        Err(_) => false,
    });
    crate::arrive(bytes, &mut Incoming::new(), Incoming::room, |incoming, read| match incoming.price(read) {
        Ok(Some(price)) => {
            let said = protocol::price_text(price);
            assert_eq!(protocol::price(&said), Some(price));
            false
        }
        Ok(None) => true,
        Err(_) => false,
    });
}
