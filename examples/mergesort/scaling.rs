//! The same sort with 1, 2, ... workers beside what Amdahl's law allows: a table, and a plot.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;

use super::{Args, Plan, amdahl, sort};
use crate::common::{progress, writable};

/// What was measured with so many workers.
struct Point {
    workers: f64,
    speedup: f64,
}

/// Each wall time is the best of so many runs, because other work on the machine only adds to it.
const RUNS: u64 = 3;

pub(super) fn run(args: &Args, most: usize, unsorted: &[i64]) -> Result<()> {
    let at_fault = |file: &Path| format!("--plot {}", file.display());
    if let Some(file) = &args.plot {
        writable(file).with_context(|| at_fault(file))?;
    }
    // 1, 2, 4, ... and the number asked for.
    let counts: Vec<usize> =
        std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n < most).chain([most]).collect();
    let bar = progress(args.numbers * RUNS * counts.len() as u64, "scaling");
    let mut table = String::from("workers    wall ms    speedup    Amdahl allows\n");
    let mut points = Vec::new();
    let (mut alone, mut share) = (0.0, 0.0);
    for workers in counts {
        // The same chunks for all, or they would not do the same work.
        let plan = Plan { workers, ..Plan::new(unsorted.len(), most, args.chunks)? };
        let runs =
            (0..RUNS).map(|_| sort(args.common.style, plan, unsorted, &bar)).collect::<Result<Vec<_>>>()?;
        let best = runs.iter().min_by_key(|run| run.usage.wall).context("at least one run")?;
        let wall = best.usage.wall.as_secs_f64() * 1e3;
        if workers == 1 {
            (alone, share) = (wall, best.serial_share());
        }
        let point = Point { workers: workers as f64, speedup: alone / wall };
        let allowed = amdahl(share, point.workers);
        writeln!(table, "{workers:>7} {wall:>10.1} {:>10.2} {allowed:>16.2}", point.speedup)?;
        points.push(point);
    }
    bar.finish_and_clear();
    println!("{table}");
    println!(
        "serial share with one worker {:.1} %: never more than {:.1} times as fast\n",
        share * 100.0,
        1.0 / share
    );
    match &args.plot {
        Some(file) => draw(file, share, &points).with_context(|| at_fault(file)),
        None => Ok(()),
    }
}

/// The law with the share that was measured as a line, its bound as another, and what was measured as dots.
fn draw(file: &Path, share: f64, points: &[Point]) -> Result<()> {
    let right = points.iter().fold(4.0, |most: f64, point| most.max(point.workers)) * 2.0;
    let fastest = points.iter().fold(0.0, |most: f64, point| most.max(point.speedup));
    let top = fastest.max((1.0 / share).min(right)) * 1.1;
    let mut svg = String::new();
    draw_into(&mut svg, share, points, right, top).map_err(|error| anyhow!("cannot draw: {error}"))?;
    std::fs::write(file, svg)?;
    Ok(())
}

fn draw_into(
    svg: &mut String,
    share: f64,
    points: &[Point],
    right: f64,
    top: f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (720, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .caption(format!("Amdahl's law, serial share {:.1} % measured", share * 100.0), ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(1.0..right, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("workers")
        .y_desc("times as fast as one worker")
        .draw()?;
    let steps = (0..=100).map(|step| 1.0 + (right - 1.0) * f64::from(step) / 100.0);
    let law = LineSeries::new(steps.map(|n| (n, amdahl(share, n))), &BLUE);
    chart
        .draw_series(law)?
        .label("what the law allows")
        .legend(|(x, y)| Circle::new((x, y), 4, BLUE.filled()));
    if 1.0 / share <= top {
        let bound = LineSeries::new([(1.0, 1.0 / share), (right, 1.0 / share)], &RED);
        chart.draw_series(bound)?.label("its bound").legend(|(x, y)| Circle::new((x, y), 4, RED.filled()));
    }
    let dots = points.iter().map(|point| Circle::new((point.workers, point.speedup), 5, BLACK.filled()));
    chart.draw_series(dots)?.label("measured").legend(|(x, y)| Circle::new((x, y), 4, BLACK.filled()));
    chart.configure_series_labels().position(SeriesLabelPosition::LowerRight).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
