//! Spelling: against the list of misspellings of the program `typos`, which knows what people mistype, not what exists. So a
//! technical word is never a fault.

use regex::Regex;
use unicase::UniCase;

use crate::chapters::Chapter;

use super::faults::Faults;

pub(super) fn check(chapter: &Chapter, faults: &mut Faults) {
    for (line, text) in chapter.parts().0 {
        for (word, instead) in misspelt(text) {
            faults.push(format!("{}: \"{word}\": perhaps {}", chapter.at(line), instead.join(" or ")));
        }
    }
}

fn misspelt(line: &str) -> Vec<(String, &'static [&'static str])> {
    let aside = Regex::new(r"`[^`]*`|\{\{[^}]*\}\}|\]\([^)]*\)|<[^>]*>").expect("a regular expression");
    let line = aside.replace_all(line, " ");
    let words = Regex::new(r"[A-Za-z]+").expect("a regular expression");
    let found = words.find_iter(&line).filter_map(|word| {
        let instead = typos_dict::WORD.find(&UniCase::new(word.as_str()))?;
        Some((word.as_str().to_string(), *instead))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_words_are_found_and_code_is_left_alone() {
        let found = misspelt("He definately recieves `recieve` from [it](recieve.html)");
        let words: Vec<_> = found.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(words, ["definately", "recieves"]);
        assert!(misspelt("The behaviour of colours, wakers and edges in tokio").is_empty());
    }
}
