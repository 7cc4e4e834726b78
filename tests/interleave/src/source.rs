//! What the source says of a place in it: the line, and the name that the value made there is given.

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::fs;
use std::panic::Location;
use std::path::Path;

/// Files that were looked into, as lines.
#[derive(Default)]
pub(crate) struct Sources {
    files: RefCell<HashMap<String, Vec<String>>>,
}

impl Sources {
    /// The line with this number, without its indentation. Empty if there is no such file here.
    pub(crate) fn line(&self, file: &str, line: u32) -> String {
        self.with(file, |lines| lines.get(line as usize - 1).map(|line| line.trim().to_owned()))
            .unwrap_or_default()
    }

    fn with<R>(&self, file: &str, with: impl FnOnce(&[String]) -> R) -> R {
        let mut files = self.files.borrow_mut();
        with(files.entry(file.to_owned()).or_insert_with(|| read(file)))
    }

    /// The variable or field that what is made at this place becomes the value of, if that can be seen:
    /// `let flag = AtomicBool::new(…)`, `flag: AtomicBool::new(…)`, `let (a, b) = (…, …)`.
    pub(crate) fn name(&self, at: &Location<'_>) -> Option<String> {
        self.with(at.file(), |lines| {
            let line = at.line() as usize - 1;
            let here: String = lines.get(line)?.chars().take(at.column() as usize - 1).collect();
            let mut text = here.trim_start().to_owned();
            // A derived `Default` makes all fields in the line of the attribute.
            if text.starts_with("#[") {
                return None;
            }
            let code = lines[..line].iter().rev().filter(|line| !line.trim_start().starts_with("//"));
            for above in code.take(4) {
                if let Some(name) = name_in(&text) {
                    return Some(name);
                }
                let above = above.trim();
                let is_other = above.is_empty() || above.ends_with([';', '}']) || above.contains("fn ");
                if is_other || (above.ends_with('{') && !above.contains("let ")) {
                    return None;
                }
                text = format!("{above} {text}");
            }
            name_in(&text)
        })
    }
}

/// Paths are given as the compiler was given them: relative to the workspace, of which this process may have started
/// in a folder.
fn read(file: &str) -> Vec<String> {
    let here = env::current_dir().unwrap_or_default();
    let text =
        here.ancestors().find_map(|folder| fs::read_to_string(folder.join(file)).ok()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// A place, short: the last two parts of the path. Nothing for one in the standard library.
pub(crate) fn short(file: &str, line: u32) -> String {
    let path = Path::new(file);
    if path.is_absolute() {
        return String::new();
    }
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    format!("{}:{line}", parts[parts.len().saturating_sub(2)..].join("/"))
}

/// A type without its path and its parameters: of `a::b::State<c::D>`, `State`.
pub(crate) fn bare(type_name: &str) -> &str {
    let path = type_name.split(['<', ' ', '(', '[']).next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or(path)
}

/// The name that the value after `text` gets.
fn name_in(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let gives = |i: usize| match chars[i] {
        ':' => at(i + 1) == ' ' && (i == 0 || at(i - 1) != ':'),
        '=' => at(i + 1) == ' ' && i > 0 && at(i - 1) == ' ',
        _ => false,
    };
    let sign = (0..chars.len()).rev().find(|&i| gives(i))?;
    let before: String = chars[..sign].iter().collect();
    let before = before.trim_end();
    let element = element(&chars[sign + 1..]);
    if let Some(open) = before.rfind(['(', '[']).filter(|_| before.ends_with([')', ']'])) {
        let names: Vec<&str> = before[open + 1..before.len() - 1].split(',').map(str::trim).collect();
        return names.get(element?.1).copied().and_then(identifier);
    }
    // `let flag: Arc<AtomicBool> = …` has its name before the type.
    let before = before.split_once("let ").map_or(before, |(_, binding)| binding);
    let before = if chars[sign] == '=' { before.split(": ").next().unwrap_or(before) } else { before };
    let name = identifier(before.split([' ', '{', '(', ',']).next_back().unwrap_or(before))?;
    Some(match element {
        Some(('(', nth)) => format!("{name}.{nth}"),
        Some((_, nth)) => format!("{name}[{nth}]"),
        None => name,
    })
}

/// The innermost tuple or array that is still open after these characters, and how many elements are complete.
fn element(chars: &[char]) -> Option<(char, usize)> {
    let mut open: Vec<(char, bool, usize)> = Vec::new();
    let mut last = ' ';
    for &char in chars {
        match char {
            // After a word it is a call.
            '(' | '[' => open.push((char, !last.is_alphanumeric() && !"_!>".contains(last), 0)),
            ')' | ']' => drop(open.pop()),
            ',' => open.last_mut().into_iter().for_each(|(_, _, commas)| *commas += 1),
            _ => {}
        }
        if char != ' ' {
            last = char;
        }
    }
    open.into_iter().rev().find(|(_, holds, _)| *holds).map(|(bracket, _, commas)| (bracket, commas))
}

fn identifier(word: &str) -> Option<String> {
    let word = word.trim_start_matches('_');
    let is_name =
        word.starts_with(char::is_alphabetic) && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    // A parameter's type or a static is no name that a reader would call the value by.
    (is_name && word != "mut" && word != "self").then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::{Sources, bare, name_in};

    /// Knows where it was made.
    struct Place(&'static Location<'static>);

    impl Default for Place {
        #[track_caller]
        fn default() -> Place {
            Place(Location::caller())
        }
    }

    /// With a word: and a bracket in its comment, which is no name.
    #[derive(Default)]
    struct Derived {
        place: Place,
    }

    #[test]
    fn what_a_derived_default_makes_has_no_name() {
        assert_eq!(Sources::default().name(Derived::default().place.0), None);
        let place = Place::default();
        assert_eq!(Sources::default().name(place.0).as_deref(), Some("place"));
    }

    #[test]
    fn a_type_without_its_path_and_parameters() {
        assert_eq!(bare("cotask::sync::mpsc::State<alloc::string::String>"), "State");
        assert_eq!(bare("usize"), "usize");
        assert_eq!(bare("(a::B, c::D)"), "");
    }

    #[test]
    fn a_value_is_called_what_the_source_calls_it() {
        for (text, name) in [
            ("let flag = ", Some("flag")),
            ("let mut flag = Arc::new(", Some("flag")),
            ("let flag: Arc<AtomicBool> = ", Some("flag")),
            ("Inbox { state: ", Some("state")),
            ("Inbox { state: Mutex::new(state), nonempty: ", Some("nonempty")),
            ("let (ready, notify) = (Arc::new(", Some("ready")),
            ("let (ready, notify) = (Arc::new(AtomicBool::new(false)), Arc::new(", Some("notify")),
            ("let woken = [1, 2].map(|slot| { let inbox = inbox.clone(); ", Some("inbox")),
            ("let shared = Arc::new((AtomicUsize::new(0), ", Some("shared.1")),
            ("let shared = Arc::new([AtomicUsize::new(0), ", Some("shared[1]")),
            ("if x == 1 { std::", None),
            ("", None),
        ] {
            assert_eq!(name_in(text).as_deref(), name, "{text}");
        }
    }
}
