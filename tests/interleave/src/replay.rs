//! Replay files: loom's checkpoints, sealed. Loom trusts a checkpoint: it panics in the midst of its own state at one
//! that was cut, edited or written for another model. So what is in the file is compared with its seal before loom
//! reads it.
//!
//! The seal is a field of its own in front of loom's: `{"interleave":"0123456789abcdef",` and then the rest. Loom skips
//! a field that it does not know.

const FIELD: &str = "{\"interleave\":\"";

/// The text of a replay file of this model, which is described by all that changes how it is explored. Nothing if the
/// checkpoint is none.
pub(crate) fn seal(checkpoint: &str, model: &str) -> Option<String> {
    let rest = checkpoint.strip_prefix('{')?;
    Some(format!("{FIELD}{:016x}\",{rest}", hash(model, rest)))
}

/// Whether this is the whole text of a replay file of this model.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(text: &str, model: &str) -> Result<(), &'static str> {
    let sealed = text.strip_prefix(FIELD).and_then(|rest| rest.split_once("\","));
    let (seal, rest) = sealed.ok_or("it is no replay file of interleave")?;
    match seal == format!("{:016x}", hash(model, rest)) {
        true => Ok(()),
        false => Err("it was changed, or written for another model or for other bounds; run the model again"),
    }
}

/// 64-bit FNV-1a: it finds an accident, and nothing must be defended here.
fn hash(model: &str, rest: &str) -> u64 {
    let bytes = model.bytes().chain([0]).chain(rest.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{check, seal};

    #[test]
    fn a_file_is_accepted_as_it_was_sealed_and_no_other() {
        let text = seal("{\"pos\":3,\"branches\":[1,2]}", "lock, bound 2").unwrap();
        assert_eq!(check(&text, "lock, bound 2"), Ok(()));
        assert!(check(&text, "lock, bound 3").unwrap_err().contains("another model"));
        for at in 0..text.len() {
            assert!(check(&text[..at], "lock, bound 2").is_err(), "cut at {at}");
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            assert!(check(str::from_utf8(&changed).unwrap(), "lock, bound 2").is_err(), "changed at {at}");
        }
        assert!(check("", "").is_err() && check("{}", "").is_err() && seal("[]", "").is_none());
    }
}
