//! What README.md says can be done as it stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::example_programs::root;

const README: &str = include_str!("../../README.md");

/// The text of the only block of code in this language.
fn block(language: &str) -> &'static str {
    let (_, from) = README.split_once(&format!("```{language}\n")).expect("it has a block");
    let (block, after) = from.split_once("```\n").expect("the block ends");
    assert!(!after.contains(&format!("```{language}\n")), "two blocks of {language}");
    block
}

/// A package with README's lines of Cargo.toml and its program builds, and the program says what it should.
#[test]
fn a_package_can_depend_on_cotask_by_path() {
    let root = root();
    let folder = std::env::temp_dir().join(format!("cotask-readme-{}", std::process::id()));
    fs::create_dir_all(folder.join("src")).unwrap();
    let path = "\"../cotask\"";
    let dependencies = block("toml");
    assert!(dependencies.contains(path), "{dependencies}");
    let dependencies = dependencies.replace(path, &format!("{root:?}"));
    let package = "[package]\nname = \"yours\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
    fs::write(folder.join("Cargo.toml"), package.to_string() + &dependencies).unwrap();
    fs::write(folder.join("src/main.rs"), block("rust")).unwrap();
    // The same versions and the same folder for what is built, so that little is built again and nothing is fetched.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).expect("target/PROFILE/deps/TEST");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(&folder)
        .output()
        .expect("cargo starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello from a task\n");
    assert_eq!(error, "", "no warning either");
    fs::remove_dir_all(&folder).unwrap();
}

/// The files of the repository that explain something.
fn texts(folder: &Path, texts: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules", "recorded"].contains(&name.as_str()) {
                self::texts(&path, texts);
            }
        } else if name.ends_with(".md") || name.ends_with(".rs") {
            texts.push(path);
        }
    }
}

/// A reader who follows a text leaves no files in the clone that git would show: each command writes below `target`.
#[test]
fn commands_that_texts_show_write_below_target() {
    let mut files = Vec::new();
    texts(&root(), &mut files);
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let shown = text.lines().filter(|line| {
            let line = line.trim_start_matches("//!").trim_start_matches("///").trim_start();
            line.starts_with("$ cargo ") || line.starts_with("cargo ")
        });
        for line in shown {
            let words: Vec<&str> = line.split_whitespace().collect();
            let flags = [
                "--trace",
                "--svg",
                "--out",
                "--csv",
                "--json",
                "--plots",
                "--plot",
                "--timeline",
                "--report",
            ];
            for pair in words.windows(2).filter(|pair| flags.contains(&pair[0])) {
                // In capitals it stands for a name of the reader's.
                let placeholder = pair[1].chars().all(|letter| letter.is_ascii_uppercase());
                let written = placeholder || pair[1].starts_with("target/") || pair[1].starts_with('-');
                assert!(written, "{}: {line}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen} commands were seen");
}
