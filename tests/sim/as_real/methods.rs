//! The public methods of `net`, read from its source.

use std::collections::BTreeSet;
use std::path::Path;

/// As `TcpStream::connect`; those of a trait as `AsyncRead::poll_read`, and a function by its name.
///
/// It reads the source as rustfmt leaves it: `impl` at the beginning of a line, or of an arm of a macro.
pub fn public() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/net");
    let mut methods = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // What a macro writes for several kinds is named after what they have in common.
        let common = if file.ends_with("listener_api.rs") { "Listener" } else { "Socket" };
        let (mut owner, mut of_a_trait) = (String::new(), false);
        for line in code.lines() {
            if line == "}" {
                owner.clear();
            }
            let line = line.trim_start();
            if line.starts_with("impl") && line.ends_with('{') {
                (owner, of_a_trait) = header(line);
                if owner == "$kind" {
                    owner = common.to_string();
                }
            }
            let public =
                line.strip_prefix("pub ").or(line.strip_prefix("fn ").filter(|_| of_a_trait).map(|_| line));
            let Some(function) = public.map(|rest| rest.trim_start_matches("async ")) else { continue };
            let Some(function) = function.strip_prefix("fn ") else { continue };
            let name: String =
                function.chars().take_while(|&letter| letter.is_alphanumeric() || letter == '_').collect();
            methods.insert(if owner.is_empty() { name } else { format!("{owner}::{name}") });
        }
    }
    methods
}

/// Traits through which a user calls a socket.
const TRAITS: [&str; 4] = ["AsyncRead", "AsyncWrite", "Stream", "AsFd"];

/// Whose methods an `impl` has, and whether it is one of a trait for users.
fn header(line: &str) -> (String, bool) {
    let name = |path: &str| {
        let path = path.split(['<', ' ']).next().unwrap();
        path.rsplit("::").next().unwrap().to_string()
    };
    let generic = line.strip_prefix("impl").unwrap();
    let rest = match generic.strip_prefix('<') {
        Some(generic) => {
            let mut depth = 1;
            generic.trim_start_matches(|letter| {
                depth += i32::from(letter == '<') - i32::from(letter == '>');
                depth > 0
            })
        }
        None => generic,
    };
    let rest = rest.trim_start_matches(['>', ' ']);
    match rest.split_once(" for ") {
        // The trait `Stream` of this crate says what a kind of stream can do, and is not for users.
        Some(("Stream", _)) => (String::new(), false),
        Some((of, _)) => (name(of), TRAITS.contains(&name(of).as_str())),
        None => (name(rest), false),
    }
}

#[test]
fn the_methods_are_found_in_the_source() {
    let methods = public();
    for method in [
        "lookup_host",
        "TcpStream::connect",
        "TcpListener::bind",
        "Socket::try_io",
        "Socket::into_split",
        "Listener::poll_accept",
        "AsyncFd::get_mut",
        "UnixDatagram::try_send_to",
        "AsyncRead::poll_read",
        "AsyncWrite::poll_write_vectored",
        "Stream::poll_next",
        "AsFd::as_fd",
    ] {
        assert!(methods.contains(method), "{method} is not among {methods:#?}");
    }
    let crates_own = ["Socket::watch", "Io::make", "Drop::drop", "Traced::resource", "Stream::bytes"];
    assert!(crates_own.iter().all(|method| !methods.contains(*method)), "{methods:#?}");
    // A source that is read wrongly would have few.
    assert!(methods.len() > 50, "{methods:#?}");
}
