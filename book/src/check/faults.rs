//! What the checks have found.

/// What is wrong, each with its place in front.
pub(crate) type Faults = Vec<String>;
