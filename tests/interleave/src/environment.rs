//! Loom's environment variables. Loom reads them each time a model begins, and panics at one that it cannot read. What
//! they set is replaced: bounds that come from outside would leave executions out of an exploration that is reported as
//! complete.

use std::env;

/// Those that loom reads as a number.
const NUMBERS: [&str; 5] = [
    "LOOM_CHECKPOINT_INTERVAL",
    "LOOM_MAX_BRANCHES",
    "LOOM_MAX_DURATION",
    "LOOM_MAX_PERMUTATIONS",
    "LOOM_MAX_PREEMPTIONS",
];

/// Whether loom can start: it stops at an invalid value of a variable of its own, even of one that is not used here.
/// [`Model::explore`](crate::Model::explore) panics with the same message.
///
/// # Errors
/// Which variable is invalid.
///
/// ```
/// interleave::check_environment()?;
/// # Ok::<(), String>(())
/// ```
pub fn check_environment() -> Result<(), String> {
    // A value that is no text is nothing to loom.
    NUMBERS
        .iter()
        .filter_map(|name| Some((*name, env::var(name).ok()?)))
        .try_for_each(|(name, value)| check(name, &value))
}

fn check(name: &str, value: &str) -> Result<(), String> {
    match value.parse::<u64>() {
        Ok(number) if usize::try_from(number).is_ok() => Ok(()),
        _ => Err(format!(
            "the environment variable {name} is {value:?}, and loom accepts only a number; unset it, because a model \
             here has its own settings"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_number_is_valid_and_nothing_else() {
        for valid in ["0", "7", "+7"] {
            assert_eq!(check("LOOM_MAX_DURATION", valid), Ok(()));
        }
        for invalid in ["", "x", "-1", "1.5", "7 ", "99999999999999999999"] {
            let said = check("LOOM_MAX_DURATION", invalid).unwrap_err();
            assert!(said.contains("LOOM_MAX_DURATION") && said.contains(&format!("{invalid:?}")), "{said}");
        }
    }
}
