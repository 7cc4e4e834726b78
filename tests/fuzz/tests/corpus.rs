//! The inputs that are kept, and those near them: no parser panics at any.

use std::fs;
use std::path::Path;

use fuzz::TARGETS;

/// The files of a target's corpus, and what is in them.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| (file.display().to_string(), fs::read(file).unwrap())).collect()
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).unwrap();
    let mut folders: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort();
    assert_eq!(folders, targets);
    for target in targets {
        let bytes: usize = corpus(target).iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(corpus(target).len() >= 3 && bytes < 64 * 1024, "{target}: a few small files");
    }
}

#[test]
fn no_parser_panics_at_what_is_kept() {
    for (name, target) in TARGETS {
        for (file, bytes) in corpus(name) {
            println!("{file}");
            target(&bytes);
        }
    }
}

#[test]
fn no_parser_panics_at_a_beginning_of_what_is_kept() {
    for (name, target) in TARGETS {
        for (file, bytes) in corpus(name) {
            println!("{file}");
            // Of a long one, beginnings that are spread over it.
            (0..bytes.len()).step_by(1 + bytes.len() / 200).for_each(|end| target(&bytes[..end]));
        }
    }
}

#[test]
fn no_parser_panics_if_a_byte_is_another() {
    for (name, target) in TARGETS {
        for (file, bytes) in corpus(name) {
            println!("{file}");
            for at in (0..bytes.len()).step_by(1 + bytes.len() / 100) {
                for other in [0, b' ', b'9', b'\n', 0xff, bytes[at] ^ 1] {
                    let mut changed = bytes.clone();
                    changed[at] = other;
                    target(&changed);
                }
            }
        }
    }
}
