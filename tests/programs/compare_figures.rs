//! How `compare` gets from runs to figures, to a verdict and to plots.

use crate::cells::{Group, Spread};
use crate::common::{Figure, Run, Style, Workload, source};
use crate::verdict::{Standing, Verdict, short_of_runs, verdict};
use crate::{machine, plot, syscalls, table};

static WORKLOAD: Workload = Workload {
    name: "sums",
    question: "How much is it?",
    counts: "sums",
    decides: Figure::Wall,
    because: "a sum is waited for.",
    plots: &[Figure::Wall],
    styles: &[
        source(Style::Sequential, "sequential.rs", ""),
        source(Style::Threads, "threads.rs", ""),
        source(Style::Coroutines, "coroutines.rs", ""),
    ],
    cases: |_| vec![1, 100],
    args: |_, _, _| None,
    command: || clap::Command::new("sums"),
    run: |_| Ok(None),
};

/// A run that took `ms` and gave `answer`.
fn ran(style: Style, n: u64, ms: f64, answer: &str) -> Run {
    let mut run = Run::failed("sums", style, n, String::new());
    run.ok = true;
    run.wall_ms = Some(ms);
    run.answer = answer.to_string();
    run
}

fn group(runs: &[(Style, u64, f64)]) -> Group {
    let mut group = Group { workload: &WORKLOAD, cells: Vec::new() };
    for (style, n, ms) in runs {
        group.add(*style, *n, ran(*style, *n, *ms, "42"));
    }
    group
}

#[test]
fn the_median_and_the_range_are_of_all_runs() {
    let group = group(&[(Style::Threads, 1, 3.0), (Style::Threads, 1, 9.0), (Style::Threads, 1, 4.0)]);
    let spread = group.cells[0].figure(Figure::Wall).unwrap();
    assert_eq!(spread, Spread { low: 3.0, median: 4.0, high: 9.0 });
    assert_eq!(spread.percent(), 125.0);
    assert_eq!(group.cells[0].figure(Figure::Cpu), None, "not measured is not zero");
    let even = self::group(&[(Style::Threads, 1, 2.0), (Style::Threads, 1, 4.0)]);
    assert_eq!(even.cells[0].figure(Figure::Wall).unwrap().median, 3.0);
}

#[test]
fn a_wrong_answer_fails_the_run() {
    let mut group = group(&[(Style::Sequential, 1, 1.0), (Style::Threads, 1, 1.0)]);
    group.add(Style::Coroutines, 1, ran(Style::Coroutines, 1, 1.0, "43"));
    // At another N another answer is right.
    group.add(Style::Coroutines, 100, ran(Style::Coroutines, 100, 1.0, "44"));
    group.check_answers(1);
    group.check_answers(100);
    let failed: Vec<(Style, u64)> =
        group.cells.iter().filter(|cell| cell.failure().is_some()).map(|cell| (cell.style, cell.n)).collect();
    assert_eq!(failed, [(Style::Coroutines, 1)]);
    assert!(
        table::row(&WORKLOAD, &group.cells[2]).contains("FAILED: wrong answer 43, where most runs gave 42")
    );
}

/// What is said where the runs took so many milliseconds.
fn against(coroutines: &[f64], threads: &[f64]) -> Verdict {
    let runs = [
        (Style::Coroutines, coroutines),
        (Style::Threads, threads),
        (Style::Sequential, &[900.0, 901.0, 902.0]),
    ];
    let runs: Vec<_> = runs.iter().flat_map(|(style, ms)| ms.iter().map(|ms| (*style, 100, *ms))).collect();
    verdict(&group(&runs))
}

#[test]
fn the_numbers_choose_the_verdict() {
    let wins = against(&[10.0, 10.0, 10.0], &[30.0, 31.0, 32.0]);
    assert_eq!((wins.standing, wins.short.as_str()), (Standing::Wins, "async wins by wall time"));
    let says = "At 100 sums, wall time was 10 ms with coroutines and 31 ms (30 to 32) with threads, the best style that \
                blocks. It was 3.10 times as much with threads, and the ranges of their runs lie apart.";
    assert_eq!(wins.finding, says);
    let loses = against(&[25.0, 26.0, 25.0], &[20.0, 20.0, 20.0]);
    assert_eq!(loses.standing, Standing::Loses);
    assert!(loses.finding.contains("1.25 times as much with coroutines"), "{}", loses.finding);
    assert!(
        Standing::Loses < Standing::CannotTell && Standing::CannotTell < Standing::Wins,
        "where async loses comes first"
    );

    // Coroutines were not run at the largest N: nothing is said of them.
    let absent = verdict(&group(&[(Style::Coroutines, 1, 1.0), (Style::Threads, 100, 2.0)]));
    assert_eq!(absent.standing, Standing::NotMeasured);
    let mut failed = group(&[(Style::Threads, 100, 2.0)]);
    failed.add(Style::Coroutines, 100, Run::failed("sums", Style::Coroutines, 100, "no luck".into()));
    assert_eq!(verdict(&failed).standing, Standing::NotMeasured);
}

#[test]
fn ranges_that_lie_apart_decide_from_three_runs_on() {
    // Measured of fib on a machine of two cores; it was reported as even, with two runs each.
    assert_eq!(against(&[741.0, 693.0, 789.0], &[470.0, 455.0, 485.0]).standing, Standing::Loses);

    let cannot_tell = |coroutines: &[f64], threads: &[f64], reason: &str| {
        let said = against(coroutines, threads);
        assert_eq!((said.standing, said.short.as_str()), (Standing::CannotTell, "cannot tell by wall time"));
        let because = format!("This does not decide, because {reason}.");
        assert!(said.finding.ends_with(&because), "{}", said.finding);
    };
    cannot_tell(&[693.0, 789.0], &[455.0, 470.0, 485.0], "there are too few runs of coroutines (2 of 3)");
    cannot_tell(&[693.0, 700.0, 789.0], &[470.0], "there are too few runs of threads (1 of 3)");
    // Twice as long, and yet one run of the one was as fast as one of the other.
    cannot_tell(&[20.0, 48.0, 50.0], &[19.0, 20.0, 21.0], "the ranges of their runs overlap");
    cannot_tell(&[20.5, 20.5, 20.5], &[20.0, 20.0, 20.0], "their medians differ by less than 1.1 times");
}

#[test]
fn a_verdict_asks_for_three_runs_of_the_two_that_it_compares() {
    let of = |coroutines: usize, threads: usize| {
        let runs = [
            (Style::Coroutines, coroutines, 10.0),
            (Style::Threads, threads, 11.0),
            (Style::Sequential, 1, 90.0),
        ];
        let runs: Vec<_> =
            runs.iter().flat_map(|(style, many, ms)| vec![(*style, 100, *ms); *many]).collect();
        short_of_runs(&group(&runs), Figure::Wall)
    };
    assert_eq!(of(1, 1), Some(Style::Coroutines));
    assert_eq!(of(2, 1), Some(Style::Threads));
    assert_eq!(of(2, 3), Some(Style::Coroutines));
    assert_eq!(of(3, 3), None, "one run is enough of the style that is not compared");
    assert_eq!(
        short_of_runs(&group(&[(Style::Threads, 100, 1.0)]), Figure::Wall),
        None,
        "nothing to compare"
    );
}

#[test]
fn a_figure_that_does_not_agree_is_never_silent() {
    let mut group = Group { workload: &WORKLOAD, cells: Vec::new() };
    for more in [0.0, 1.0, 2.0] {
        for (style, wall, cpu, kib) in [
            (Style::Coroutines, 50.0, 90.0, 2_048),
            (Style::Threads, 80.0, 70.0, 2_048),
            (Style::Sequential, 95.0, 97.0, 9_000),
        ] {
            let mut run = ran(style, 100, wall + more, "42");
            (run.cpu_ms, run.peak_pss_kib) = (Some(cpu + more), Some(kib));
            group.add(style, 100, run);
        }
    }
    let said = verdict(&group);
    assert_eq!(said.standing, Standing::Wins, "by wall time");
    assert_eq!(
        said.against,
        " CPU time speaks for threads: 91 ms (90 to 92) with coroutines, 71 ms (70 to 72) with threads."
    );
    let memory = " Peak memory cannot tell: 2 MiB with coroutines, 2 MiB with threads; the ranges of their runs overlap.";
    assert_eq!(said.rest, memory);
}

#[test]
fn a_plot_needs_two_sizes() {
    assert_eq!(plot::over_n(&group(&[(Style::Threads, 1, 3.0)]), Figure::Wall).unwrap(), None);
    let both =
        group(&[(Style::Threads, 1, 3.0), (Style::Threads, 100, 300.0), (Style::Coroutines, 100, 4.0)]);
    let svg = plot::over_n(&both, Figure::Wall).unwrap().unwrap();
    assert!(svg.contains("viewBox") && svg.contains("currentColor") && !svg.contains("#010203"), "{svg}");
    assert_eq!(plot::over_n(&both, Figure::P99).unwrap(), None, "never measured");
    let alone = plot::for_file(&svg, &[Style::Threads, Style::Coroutines]);
    assert!(alone.contains(">threads</text>") && alone.contains(">coroutines</text>"), "{alone}");
    assert!(!alone.contains("currentColor") && !alone.contains("var("), "{alone}");
    assert_eq!([1, 999, 1_000, 1_234_567].map(plot::thousands), ["1", "999", "1,000", "1,234,567"]);
}

#[test]
fn the_summary_of_strace_is_read_with_and_without_errors() {
    let with = "% time     seconds  usecs/call     calls    errors syscall\n------ --- --- --- ---\n  0.74 0.007 18 413 close\n\
                ------ --- --- --- ---\n100.00    1.017296         313      3245       115 total\n";
    assert_eq!(syscalls::total(with), Some(3245));
    assert_eq!(syscalls::total("100.00    0.000012           1        12           total\n"), Some(12));
    assert_eq!(syscalls::total("strace: not permitted\n"), None);
}

#[test]
fn the_report_names_the_versions_that_cotask_is_built_with() {
    // The workspace locks two versions of mio, and an older one stands first.
    let lock = "[[package]]\nname = \"cotask\"\nversion = \"0.1.0\"\ndependencies = [\n \"mio 1.2.5\",\n \"slab\",\n]\n\n\
                [[package]]\nname = \"mio\"\nversion = \"0.8.11\"\n\n[[package]]\nname = \"mio\"\nversion = \"1.2.5\"\n\n\
                [[package]]\nname = \"slab\"\nversion = \"0.4.12\"\n";
    assert_eq!(machine::used_by("cotask", "mio", lock), Some("1.2.5"));
    assert_eq!(machine::used_by("cotask", "slab", lock), Some("0.4.12"));
    assert_eq!(machine::used_by("cotask", "tokio", lock), None);

    let told = machine::describe();
    for name in ["mio", "tokio"] {
        let version = &told.iter().find(|(named, _)| *named == name).unwrap().1;
        let asked = include_str!("../../examples/Cargo.toml")
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")));
        let asked = asked.and_then(|line| line.split("version = \"").nth(1)?.split('"').next()).unwrap();
        let major = |version: &str| version.split('.').next().map(String::from);
        assert_eq!(major(version), major(asked), "{name}: the report says {version}, Cargo.toml {asked}");
    }
}
