//! How the executions of a model grow with its threads and their steps, and what a bound on preemptions saves: counted
//! by exploring, as a table and as a plot.
//!
//! ```text
//! cargo run --release -p interleave --example explosion
//! cargo run --release -p interleave --example explosion -- --plot target/explosion.svg
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::{Model, thread};
use plotters::prelude::*;

#[derive(Parser)]
#[command(about = "How the executions of a model grow with threads, steps and the preemption bound")]
struct Args {
    /// Draw the growth into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// No model that would need more executions than about this.
    #[arg(long, default_value_t = 51_000, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    most: u64,
}

// ANCHOR: model
/// `threads` threads add one `steps` times each, all to one atomic or each to one of its own. Returns how many
/// executions it takes to see all that can happen.
fn explore(threads: usize, steps: usize, shared: bool, bound: Option<usize>) -> Result<usize> {
    let model = Model::new("adding").recording(false).preemption_bound(bound);
    let explored = model.explore(move || {
        // `std`'s, so that the handles are no steps of the model.
        let counts = Arc::new([(); 4].map(|()| AtomicUsize::new(0)));
        let add = move |counts: Arc<[AtomicUsize; 4]>, me: usize| {
            for _ in 0..steps {
                counts[if shared { 0 } else { me }].fetch_add(1, Relaxed);
            }
        };
        // The model's own thread is one of them.
        let others: Vec<_> = (1..threads)
            .map(|me| {
                let counts = counts.clone();
                thread::spawn(move || add(counts, me))
            })
            .collect();
        add(counts, 0);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
    Ok(explored?.executions)
}
// ANCHOR_END: model

/// Returns in how many orders the additions themselves can happen: this grows, whichever tool counts.
fn orders(threads: u64, steps: u64) -> f64 {
    let factorial = |n: u64| (1..=n).map(|i| i as f64).product::<f64>();
    factorial(threads * steps) / factorial(steps).powi(threads as i32)
}

struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut curves = Vec::new();

    println!("all add to one atomic; no bound");
    println!("threads  steps each  executions  orders of the steps  seconds");
    for threads in 2..=4 {
        let mut points = Vec::new();
        for steps in 1..=8 {
            let orders = orders(threads as u64, steps as u64);
            // Threads also start and are joined. Measured: that makes 3, 25 and 320 times as many.
            if orders * 3.0 * 10_f64.powi(threads as i32 - 2) > args.most as f64 {
                break;
            }
            let start = Instant::now();
            let executions = explore(threads, steps, true, None)?;
            let took = start.elapsed().as_secs_f64();
            println!("{threads:>7} {steps:>11} {executions:>11} {orders:>20} {took:>8.2}");
            points.push((steps as f64, executions as f64));
        }
        curves.push(Curve { name: format!("{threads} threads"), points });
    }

    println!("\neach adds to an atomic of its own: no order of the additions matters, and loom knows");
    println!("threads  steps each  executions");
    for (threads, steps) in [(2, 1), (2, 8), (3, 8)] {
        println!("{threads:>7} {steps:>11} {:>11}", explore(threads, steps, false, None)?);
    }

    println!("\n3 threads of 3 steps, all on one atomic: at most so many preemptions");
    println!("bound  executions");
    let mut points = Vec::new();
    for bound in (0..=6).map(Some).chain([None]) {
        let executions = explore(3, 3, true, bound)?;
        match bound {
            Some(bound) => {
                println!("{bound:>5} {executions:>11}");
                points.push((bound as f64, executions as f64));
            }
            None => println!(" none {executions:>11}"),
        }
    }
    curves.push(Curve { name: "3 threads of 3 steps, by bound".into(), points });
    match &args.plot {
        Some(file) => draw(file, &curves).with_context(|| format!("--plot {}", file.display())),
        None => Ok(()),
    }
}

fn draw(file: &Path, curves: &[Curve]) -> Result<()> {
    let mut svg = String::new();
    draw_into(&mut svg, curves).map_err(|error| anyhow!("cannot draw: {error}"))?;
    std::fs::write(file, svg)?;
    eprintln!("plot: {}", file.display());
    Ok(())
}

fn draw_into(svg: &mut String, curves: &[Curve]) -> Result<(), Box<dyn std::error::Error>> {
    let most = curves.iter().flat_map(|curve| &curve.points).fold(10.0, |most: f64, point| most.max(point.1));
    let area = SVGBackend::with_string(svg, (720, 440)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .caption("Executions that loom explores", ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..8.5, (1.0..most * 2.0).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("steps of each thread, or preemption bound")
        .y_desc("executions (each line ten times the one below)")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    for (i, curve) in curves.iter().enumerate() {
        let colour = [BLUE, RED, BLACK, RGBColor(0, 120, 60)][i % 4];
        let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)).point_size(4);
        let legend = move |(x, y)| Circle::new((x, y), 4, colour.filled());
        chart.draw_series(line)?.label(&curve.name).legend(legend);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
