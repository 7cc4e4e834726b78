//! The grammar of a trace, as a checker.

use std::sync::Once;

use cotask::sim::Oracle;
use cotask::trace::Record;

/// What a panic says that is a part of the test, and need not be printed.
pub const AS_ASKED: &str = "as asked";

/// Prints nothing of panics that are as asked.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<String>().is_none_or(|message| message != AS_ASKED) {
                loud(panic);
            }
        }));
    });
}

/// Whether the events could have come from a runtime that keeps its contract, and from its start; if not, why
/// not.
pub fn check(records: &[Record]) -> Result<(), String> {
    Oracle::check(records).map_err(|broken| {
        let place = (broken.event as usize).min(records.len().saturating_sub(1));
        let before = records[place.saturating_sub(8)..=place].iter().map(|record| record.event.to_string());
        format!("{broken}\n  {}", before.collect::<Vec<_>>().join("\n  "))
    })
}
