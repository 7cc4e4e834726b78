//! What a process of ours or a script prints for another: lines of JSON, and lines of numbers.

use crate::common::Run;

/// As the record of a run.
pub fn records(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(run) = serde_json::from_str::<Run>(text) {
        let again = serde_json::to_string(&run).expect("what was read can be written");
        assert!(serde_json::from_str::<Run>(&again).is_ok(), "and read again: {again}");
    }
    let _ = crate::common::python::cost(text);
}
