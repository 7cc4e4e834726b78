//! What cargo has built. The command uses it, and so does the harness, which builds mutants.

use std::path::PathBuf;

/// The program of this name among cargo's messages, which are one JSON object a line. Their order says nothing: cargo builds
/// the command itself as well, and reports what it finishes first.
pub fn program(messages: &str, name: &str) -> Option<PathBuf> {
    let target = format!("\"name\":\"{name}\"");
    let mut of_name = messages.lines().filter(|message| message.contains(&target));
    // A library of this name has no program.
    let (_, rest) = of_name.find_map(|message| message.split_once("\"executable\":\""))?;
    let (path, _) = rest.split_once('"')?;
    // The only escape that a path can bring.
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    // As a module of tests/loom, which has no test harness, this is empty.
    #[test]
    fn the_program_is_found_among_messages_in_any_order() {
        let lines = [
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"loom"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["test"],"name":"loom"},"executable":"C:\\target\\loom-1","fresh":true}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"cargo-loom"},"executable":"/target/cargo-loom"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];
        for order in [[0, 1, 2, 3], [2, 0, 1, 3], [1, 2, 0, 3]] {
            let messages = order.map(|line: usize| lines[line]).join("\n");
            assert_eq!(super::program(&messages, "loom"), Some(r"C:\target\loom-1".into()), "{messages}");
            assert_eq!(super::program(&messages, "exercises"), None);
        }
    }
}
