//! The replay files of `interleave`.

#[path = "../../interleave/src/replay.rs"]
mod files;

/// As a replay file of a model, and as a checkpoint of loom.
pub fn replay(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(why) = files::check(&text, "a model") {
        assert!(!why.is_empty());
    }
    if let Some(sealed) = files::seal(&text, "a model") {
        assert_eq!(files::check(&sealed, "a model"), Ok(()));
        assert!(files::check(&sealed, "another").is_err());
    }
}
