//! The messages of `webapp`: those of the visitors, and those of the database.

#[path = "../../../examples/webapp/protocol.rs"]
mod protocol;

use protocol::{Incoming, Query, Reply};

/// As a request, as an answer, as a question to the database, and as the database's answer.
pub fn messages(bytes: &[u8]) {
    crate::arrive(bytes, &mut Incoming::new(), Incoming::room, |incoming, read| {
        matches!(incoming.user(read), Ok(None))
    });
    crate::arrive(bytes, &mut Incoming::new(), Incoming::room, |incoming, read| {
        matches!(incoming.response(read), Ok(None))
    });
    crate::arrive(bytes, &mut Reply::default(), Reply::room, |reply, read| {
        matches!(reply.number(read), Ok(None))
    });
    if let Ok(line) = str::from_utf8(bytes)
        && let Some((query, key)) = Query::of_line(line)
    {
        let again = String::from_utf8(query.line(key)).expect("a line is text");
        assert_eq!(Query::of_line(&again), Some((query, key)));
    }
}
