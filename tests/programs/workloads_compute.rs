//! The workloads that need no server: every style finds the same answer, and an error names the bad argument.

#[cfg(target_os = "linux")]
use nix::sys::signal::Signal;

#[cfg(target_os = "linux")]
use crate::example_programs::{bereaved, signalled};
use crate::example_programs::{command, record, refuses, run, same_answer};

/// Every workload of this file: its styles, small arguments, and other arguments with another answer.
fn agrees(workload: &str, styles: &[&str], small: &[&str], other: &[&str]) {
    let answer = same_answer(workload, styles, small);
    assert_ne!(answer, same_answer(workload, styles, other), "the answer depends on the work");

    let output = run(workload, &["--help"]);
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && help.contains("--style") && help.contains(small[0]), "{help}");
    refuses(workload, &["--style", "wizardry"], 2, &["--style", "wizardry"]);
    refuses(workload, &["--style", "asyncio"], 2, &["asyncio", styles[0]]);
    refuses(workload, &["--no-such-thing"], 2, &["--no-such-thing"]);
    refuses(workload, &[small[0], "many"], 2, &[small[0], "many"]);
    refuses(workload, &[small[0], "0"], 2, &[small[0]]);
}

const GREP: [&str; 3] = ["sequential", "threads", "coroutines"];

#[test]
fn grep_agrees() {
    agrees("grep", &GREP, &["--lines", "2000"], &["--lines", "2001"]);
    let many = ["--lines", "2000", "--pattern", "whale", "--pattern", "old man", "--pattern", "no such word"];
    same_answer("grep", &GREP, &many);
    same_answer("grep", &GREP, &["--lines", "1"]);
}

#[test]
fn grep_reads_a_file_and_names_what_it_cannot_read() {
    let file = std::env::temp_dir().join(format!("cotask-grep-{}.txt", std::process::id()));
    std::fs::write(&file, "one whale\nno fish\n\ntwo whales, one whale").unwrap();
    let name = file.to_str().expect("a temporary directory with a plain name");
    same_answer("grep", &GREP, &["--file", name]);
    let words = run("grep", &["--file", name]);
    assert!(String::from_utf8_lossy(&words.stdout).starts_with("'whale' in 2 of 4 lines"));
    assert_eq!(record("grep", "threads", &["--file", name])["n"], 4);

    std::fs::write(&file, b"\xff\xfe").unwrap();
    refuses("grep", &["--file", name], 1, &["--file", name]);
    std::fs::write(&file, "").unwrap();
    assert_eq!(record("grep", "coroutines", &["--file", name])["n"], 0);
    std::fs::remove_file(&file).unwrap();
    refuses("grep", &["--file", name], 1, &["--file", name]);
    refuses("grep", &["--file", name, "--lines", "5"], 2, &["--file", "--lines"]);
    refuses("grep", &["--pattern", ""], 2, &["--pattern"]);
}

const FIB: [&str; 5] = ["sequential", "threads", "processes", "coroutines", "blocking"];

#[test]
fn fib_agrees() {
    agrees("fib", &FIB, &["--n", "12", "--jobs", "5"], &["--n", "12", "--jobs", "6"]);
    same_answer("fib", &FIB, &["--n", "1", "--jobs", "1", "--workers", "9"]);
    let record = record("fib", "processes", &["--n", "20", "--jobs", "40", "--workers", "3"]);
    assert_eq!(record["n"], 40);
    refuses("fib", &["--n", "51"], 2, &["--n", "51"]);
    refuses("fib", &["--workers", "0"], 2, &["--workers"]);
}

const QUEUES: [&str; 6] = ["sequential", "pool", "processes", "coroutines", "blocking", "tokio"];

#[test]
fn queues_agrees() {
    agrees("queues", &QUEUES, &["--tasks", "300", "--weight", "3"], &["--tasks", "301", "--weight", "3"]);
    // More workers than tasks, and more than the queue has room for.
    same_answer("queues", &QUEUES, &["--tasks", "2", "--weight", "10", "--workers", "5"]);
    same_answer(
        "queues",
        &["sequential", "pool", "coroutines", "tokio"],
        &["--tasks", "1", "--workers", "200"],
    );
    let output = run("queues", &["--style", "pool", "--tasks", "10", "--weight", "100"]);
    let words = String::from_utf8_lossy(&output.stdout);
    // https://oeis.org/A006877: the longest below a thousand.
    assert!(words.contains("871 takes the most steps to 1: 178"), "{words}");
    refuses("queues", &["--weight", "0"], 2, &["--weight"]);
    refuses("queues", &["--tasks", "1000000", "--weight", "1000000"], 1, &["--tasks", "--weight"]);
}

const MERGESORT: [&str; 4] = ["sequential", "threads", "processes", "coroutines"];

#[test]
fn mergesort_agrees() {
    agrees("mergesort", &MERGESORT, &["--numbers", "5000"], &["--numbers", "5001"]);
    // A chunk too many, one integer, more workers than chunks, chunks that are not equal.
    let odd: [&[&str]; 3] = [
        &["--numbers", "3", "--chunks", "4", "--workers", "3"],
        &["--numbers", "1", "--workers", "2"],
        &["--numbers", "10000", "--chunks", "7", "--workers", "5"],
    ];
    for args in odd {
        same_answer("mergesort", &MERGESORT, args);
    }
    refuses("mergesort", &["--chunks", "0"], 2, &["--chunks"]);
    refuses("mergesort", &["--workers", "257"], 2, &["--workers", "257"]);
    refuses("mergesort", &["--plot", "a.svg"], 2, &["--plot", "--scaling"]);
}

#[test]
fn mergesort_measures_its_serial_share_and_draws_the_bound() {
    let record = record("mergesort", "sequential", &["--numbers", "300000"]);
    let share = record["also"]["serial share %"].as_f64().expect("a figure");
    let bound = record["also"]["Amdahl's bound"].as_f64().expect("a figure");
    assert!(share > 0.0 && share < 100.0 && (bound - 100.0 / share).abs() < 0.01 * bound, "{record}");

    let plot = std::env::temp_dir().join(format!("cotask-amdahl-{}.svg", std::process::id()));
    let name = plot.to_str().expect("a temporary directory with a plain name");
    let args = ["--style", "processes", "--numbers", "20000", "--workers", "3", "--scaling", "--plot", name];
    let output = run("mergesort", &args);
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && words.contains("Amdahl allows"), "{words}");
    let drawn = std::fs::read_to_string(&plot).expect("it was drawn");
    std::fs::remove_file(&plot).unwrap();
    assert_eq!(drawn.matches("<circle").count(), 3 + 3, "workers 1, 2 and 3, and the legend: {words}");
    refuses(
        "mergesort",
        &["--numbers", "9", "--scaling", "--plot", "/no/such/place.svg"],
        1,
        &["--plot", "/no/such"],
    );
}

/// What several processes map, such as the program's code, counts once; and no run is too short to be measured.
#[cfg(target_os = "linux")]
#[test]
fn peak_memory_is_the_share_of_the_group() {
    let peak = |workload, style, args: &[&str]| {
        let record = record(workload, style, args);
        record["peak_pss_kib"].as_u64().unwrap_or_else(|| panic!("{record}"))
    };
    let args = ["--n", "1", "--jobs", "16", "--workers", "16"];
    let [alone, together] = ["sequential", "processes"].map(|style| peak("fib", style, &args));
    assert!(together < 8 * alone, "17 processes: {together} KiB, and {alone} KiB for one alone");
    // What each worker writes is its own, and is seen although all of them end within milliseconds.
    assert!(together > alone + 16 * 50, "17 processes: {together} KiB, and {alone} KiB for one alone");

    // A photo of three megabytes, of which only a thumbnail is left at the end.
    let [small, large] =
        ["64", "1000"].map(|side| peak("photos", "sequential", &["--photos", "1", "--side", side]));
    assert!(large > small + 2_900, "{large} KiB with a large photo, {small} KiB with a small one");
}

/// A worker is killed in the middle: the run fails, names the worker, and ends the others.
#[cfg(target_os = "linux")]
#[test]
fn mergesort_tells_of_a_worker_that_dies() {
    for style in ["processes", "coroutines"] {
        let args = ["--workers", "2", "--style", style, "--numbers", "1000000", "--chunks", "2"];
        let (code, said) = bereaved(command("mergesort", &args), 2);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("worker"), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn mergesort_ends_cleanly() {
    ends_cleanly("mergesort", &MERGESORT, &["--numbers", "8000000"]);
}

const PHOTOS: [&str; 5] = ["sequential", "threads", "coroutines", "blocking", "tokio"];

#[test]
fn photos_agrees() {
    agrees("photos", &PHOTOS, &["--photos", "3", "--side", "64"], &["--photos", "3", "--side", "65"]);
    same_answer("photos", &PHOTOS, &["--photos", "1", "--side", "100", "--workers", "4"]);
    same_answer("photos", &["blocking", "tokio"], &["--photos", "30", "--side", "64", "--workers", "3"]);
    refuses("photos", &["--side", "63"], 2, &["--side", "63"]);
    refuses("photos", &["--photos", "10000", "--side", "8000"], 1, &["--photos", "--side"]);
}

#[test]
fn photos_counts_the_ticks_that_work_on_the_loop_misses() {
    // A photo of this size takes more than 100 ms, and nothing ticks meanwhile.
    let side = if cfg!(debug_assertions) { "500" } else { "2000" };
    for style in ["sequential", "coroutines"] {
        let also = &record("photos", style, &["--photos", "3", "--side", side])["also"];
        let (ticks, missed) = (also["ticks"].as_f64().unwrap(), also["missed ticks"].as_f64().unwrap());
        assert!(missed >= 3.0 && ticks >= missed, "{style}: {also}");
    }
}

#[test]
fn photos_leaves_no_files_behind() {
    let directory = std::env::temp_dir().join(format!("cotask-test-photos-{}", std::process::id()));
    let photos = |args: &[&str]| {
        let mut command = command("photos", args);
        command.env("TMPDIR", &directory);
        command
    };
    let output = photos(&["--photos", "2", "--side", "64"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let left = || std::fs::read_dir(&directory).unwrap().count();
    assert_eq!(left(), 0);

    #[cfg(target_os = "linux")]
    for style in PHOTOS {
        let endless = photos(&["--style", style, "--photos", "10000", "--side", "300"]);
        let (code, said) = signalled(endless, 0, Signal::SIGINT);
        assert_eq!((code, said.trim()), (Some(130), "interrupted"), "{style}");
        assert_eq!(left(), 0, "{style}");
    }
    std::fs::remove_dir(&directory).unwrap();

    std::fs::write(&directory, "a file, where a directory should be").unwrap();
    let output = photos(&["--photos", "2"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(directory.to_str().unwrap()), "{error}");
    std::fs::remove_file(&directory).unwrap();
}

/// Hours of work, on two workers, in every style.
#[cfg(target_os = "linux")]
fn ends_cleanly(workload: &str, styles: &[&str], endless: &[&str]) {
    for style in styles {
        let helpers =
            if *style == "processes" || (workload, *style) == ("mergesort", "coroutines") { 2 } else { 0 };
        let args = [&["--workers", "2", "--style", style], endless].concat();
        let (code, said) = signalled(command(workload, &args), helpers, Signal::SIGINT);
        assert_eq!((code, said.trim()), (Some(130), "interrupted"), "{workload} {style}");
    }
    let args = [&["--workers", "2", "--style", "processes"], endless].concat();
    let (code, _) = signalled(command(workload, &args), 2, Signal::SIGKILL);
    assert_eq!(code, None, "killed; and its workers ended with it");
}

#[cfg(target_os = "linux")]
#[test]
fn fib_ends_cleanly() {
    ends_cleanly("fib", &FIB, &["--n", "50", "--jobs", "5000"]);
}

#[cfg(target_os = "linux")]
#[test]
fn queues_ends_cleanly() {
    ends_cleanly("queues", &QUEUES, &["--tasks", "10000", "--weight", "1000000"]);
}
