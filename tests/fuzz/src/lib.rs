//! Every parser of data from outside, as a function that takes any bytes: it returns, or it panics, and then the parser
//! has a bug. [`TARGETS`] names them. `README.md` says how a fuzzer is set on them; `tests/corpus.rs` gives them the
//! inputs that are kept.
//!
//! The parsers are those of the programs, whose files are compiled in here.

#![allow(dead_code, reason = "of the programs, only the parsers are called")]
#![allow(
    clippy::duplicate_mod,
    reason = "a parser is private to its workload, and so it is here a second time"
)]

#[path = "../../../examples/chat/mod.rs"]
mod chat;
#[path = "../../../examples/common/mod.rs"]
mod common;
#[path = "../../../examples/echo/mod.rs"]
mod echo;
#[path = "../../../examples/fib/mod.rs"]
mod fib;
#[path = "../../../examples/grep/mod.rs"]
mod grep;
#[path = "../../../examples/mergesort/mod.rs"]
mod mergesort;
#[path = "../../../examples/photos/mod.rs"]
mod photos;
#[path = "../../../examples/queues/mod.rs"]
mod queues;
#[path = "../../../examples/rates/mod.rs"]
mod rates;
#[path = "../../../examples/webapp/mod.rs"]
mod webapp;

#[path = "../../loom/answer.rs"]
mod answer;
#[path = "../../loom/command_line.rs"]
mod command_line;
#[path = "../../loom/model.rs"]
mod model;

mod arguments;
mod binary;
mod plan;
mod quotes;
mod records;
mod replay;
mod timeline;
mod visitors;

/// What is given to a parser: it takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, and its name, which its folder in `corpus` has too.
pub const TARGETS: &[(&str, Target)] = &[
    ("trace", timeline::trace),
    ("rates", quotes::messages),
    ("webapp", visitors::messages),
    ("mergesort", binary::chunks),
    ("photos", binary::photo),
    ("records", records::records),
    ("replay", replay::replay),
    ("plan", plan::plan),
    ("arguments", arguments::arguments),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}

/// How many bytes arrive at a time, drawn from the input itself: a message is seldom read at once.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let lengths: Vec<usize> = bytes.iter().rev().take(8).map(|byte| 1 + usize::from(*byte)).collect();
    let lengths = if lengths.is_empty() { vec![1] } else { lengths };
    (0..).map(move |number: usize| lengths[number % lengths.len()])
}

/// Gives the bytes to a reader piece by piece, as a socket does: `room` is where the next ones go, `took` hears how many
/// came, and says whether to go on. At the end it hears of 0 bytes.
fn arrive<T>(bytes: &[u8], reader: &mut T, room: fn(&mut T) -> &mut [u8], took: fn(&mut T, usize) -> bool) {
    let mut rest = bytes;
    for most in pieces(bytes) {
        let room = room(reader);
        assert!(!room.is_empty(), "a socket cannot be read into nothing");
        let length = most.min(rest.len()).min(room.len());
        room[..length].copy_from_slice(&rest[..length]);
        rest = &rest[length..];
        if !took(reader, length) || length == 0 {
            return;
        }
    }
}
