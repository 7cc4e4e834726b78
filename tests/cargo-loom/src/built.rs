//! What cargo has built. The command uses it, and so does the harness, which builds mutants.

use std::path::PathBuf;

/// The program among cargo's messages, which are one JSON object a line. It is the last one: before the models cargo
/// builds the command itself.
pub fn program(messages: &str) -> Option<PathBuf> {
    let (_, rest) = messages.rsplit_once("\"executable\":\"")?;
    let (path, _) = rest.split_once('"')?;
    // The only escape that a path can bring.
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_program_is_found_among_messages() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"C:\\target\\loom-1","fresh":true}
{"reason":"build-finished","success":true}"#;
        assert_eq!(program(messages), Some(r"C:\target\loom-1".into()));
        assert_eq!(program(r#"{"executable":null}"#), None);
    }
}
