//! Figures over N, as SVG that takes its text colours from the page around it.

use std::collections::BTreeSet;
use std::ops::Range;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::cells::{Group, title};
use super::common::{Figure, Style};

const SIZE: (u32, u32) = (520, 340);

/// Colours that plotters writes and that the page replaces: by its text colour, and by that of its lines.
const TEXT: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);

/// The colour of a style, legible on white and on black (after Okabe and Ito).
pub(crate) fn colour(style: Style) -> RGBColor {
    match style {
        Style::Sequential => RGBColor(0x8a, 0x8a, 0x8a),
        Style::Threads => RGBColor(0xd5, 0x5e, 0x00),
        Style::Pool => RGBColor(0xe0, 0x9a, 0x00),
        Style::Processes => RGBColor(0xcc, 0x6a, 0xa2),
        Style::Callbacks => RGBColor(0x3d, 0xa5, 0xe0),
        Style::Coroutines => RGBColor(0x00, 0x9e, 0x73),
        Style::Blocking => RGBColor(0x2f, 0x6f, 0xd0),
        Style::Tokio => RGBColor(0x8d, 0x6b, 0xe8),
        Style::Asyncio => RGBColor(0xa8, 0x92, 0x00),
    }
}

/// `figure` over N for each style; `None` where there are not two values of N to draw between.
pub(crate) fn over_n(group: &Group, figure: Figure) -> anyhow::Result<Option<String>> {
    let mut lines: Vec<(Style, Vec<(f64, f64)>)> = Vec::new();
    for source in group.workload.styles {
        let cells = group.cells.iter().filter(|cell| cell.style == source.style && cell.failure().is_none());
        let mut points: Vec<(f64, f64)> = cells
            .filter_map(|cell| Some((cell.n as f64, cell.figure(figure)?.median)))
            .filter(|(_, value)| *value > 0.0)
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        lines.push((source.style, points));
    }
    let all = || lines.iter().flat_map(|(_, points)| points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let least = all().map(of).fold(f64::INFINITY, f64::min);
        let most = all().map(of).fold(0.0, f64::max);
        (least, most)
    };
    let ((first, last), (low, high)) = (range(|point| point.0), range(|point| point.1));
    if first >= last {
        return Ok(None);
    }
    let mut svg = String::new();
    let n = first / 1.15..last * 1.15;
    // Over less than a decade a logarithmic axis has hardly a number on it.
    let drawn = if high / low < 8.0 {
        draw(&mut svg, group, figure, &lines, (n, 0.0..high * 1.1), 0.0..high * 1.1)
    } else {
        draw(&mut svg, group, figure, &lines, (n, low / 1.4..high * 1.4), (low / 1.4..high * 1.4).log_scale())
    };
    drawn.map_err(|error| anyhow::anyhow!("cannot draw {}: {error}", group.workload.name))?;
    Ok(Some(for_page(&svg)))
}

fn draw<Y>(
    svg: &mut String,
    group: &Group,
    figure: Figure,
    lines: &[(Style, Vec<(f64, f64)>)],
    (n, shown): (Range<f64>, Range<f64>),
    values: Y,
) -> Result<(), Box<dyn std::error::Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let (name, unit) = title(figure);
    let text = |size: u32| ("sans-serif", size).into_font().color(&TEXT);
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{name} ({unit}) over {}", group.workload.counts), text(22))
        .margin(8)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(n.clone().log_scale(), values)?;
    let (silent, spoken) = (|_: &f64| String::new(), |value: &f64| tick(*value));
    let logarithmic = shown.start > 0.0;
    let mut mesh = chart.configure_mesh();
    mesh.axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(text(18))
        .y_labels(5);
    mesh.disable_x_mesh().x_label_formatter(&silent).y_label_formatter(&spoken);
    if logarithmic {
        mesh.disable_y_mesh().y_label_formatter(&silent);
    }
    mesh.draw()?;
    if logarithmic {
        let (first, _) = chart.backend_coord(&(n.start, shown.start));
        let (last, _) = chart.backend_coord(&(n.end, shown.start));
        let mut free = SIZE.1 as i32;
        for value in ticks(&shown) {
            let (_, y) = chart.backend_coord(&(n.start, value));
            if y + 9 < free {
                root.draw(&PathElement::new([(first, y), (last, y)], GRID))?;
                let before = text(18).pos(Pos::new(HPos::Right, VPos::Center));
                root.draw(&Text::new(tick(value), (first - 8, y), before))?;
                free = y - 12;
            }
        }
    }
    for (style, points) in lines {
        let line = colour(*style).stroke_width(if *style == Style::Coroutines { 4 } else { 2 });
        // What blocks is dashed.
        if style.is_async() || *style == Style::Callbacks {
            chart.draw_series(LineSeries::new(points.iter().copied(), line))?;
        } else {
            chart.draw_series(DashedLineSeries::new(points.iter().copied(), 7, 4, line))?;
        }
        let dots = points.iter().map(|point| Circle::new(*point, 4, colour(*style).filled()));
        chart.draw_series(dots)?;
    }
    // Below the axis stand the values of N that were run, and nothing between them.
    let ns: BTreeSet<u64> = lines.iter().flat_map(|(_, points)| points).map(|(n, _)| *n as u64).collect();
    let mut free = SIZE.0 as i32;
    for n in ns.into_iter().rev() {
        let (x, _) = chart.backend_coord(&(n as f64, shown.start));
        let label = thousands(n);
        let half = label.len() as i32 * 5;
        let x = x.min(SIZE.0 as i32 - half - 2);
        if x + half < free {
            let centred = text(18).pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(label, (x, SIZE.1 as i32 - 30), centred))?;
            free = x - half - 8;
        }
    }
    root.present()?;
    drop(chart);
    Ok(())
}

/// Lets the page choose the size and the colours of text and grid.
fn for_page(svg: &str) -> String {
    let (width, height) = SIZE;
    svg.replace(&format!("width=\"{width}\" height=\"{height}\" viewBox"), "role=\"img\" viewBox")
        .replace("#010203", "currentColor")
        .replace("#040506", "var(--line)")
}

/// A plot of [`over_n`] that stands alone: on white, with a legend below.
pub(crate) fn for_file(plot: &str, styles: &[Style]) -> String {
    let (width, height) = SIZE;
    let mut legend = String::new();
    let each = width / styles.len().max(1) as u32;
    for (place, style) in (0..).zip(styles) {
        let (x, y) = (8 + each * place, height + 18);
        let RGBColor(r, g, b) = colour(*style);
        legend += &format!(
            "<text x=\"{x}\" y=\"{y}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"rgb({r},{g},{b})\">{style}</text>\n"
        );
    }
    let tall = height + 28;
    let paper = format!("<rect width=\"{width}\" height=\"{tall}\" fill=\"white\"/>");
    plot.replacen(&format!("viewBox=\"0 0 {width} {height}\""), &format!("viewBox=\"0 0 {width} {tall}\""), 1)
        .replacen('>', &format!(">\n{paper}"), 1)
        .replace("currentColor", "#333333")
        .replace("var(--line)", "#cccccc")
        .replace("</svg>", &format!("{legend}</svg>"))
}

/// The numbers 1, 2 and 5 of each decade in `shown`, ascending. (The library's own logarithmic axis names either the
/// decades alone, which may be a single one, or every digit of them.)
fn ticks(shown: &Range<f64>) -> Vec<f64> {
    let decades = shown.start.log10().floor() as i32..=shown.end.log10().ceil() as i32;
    let all = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)));
    all.filter(|value| shown.contains(value)).collect()
}

/// A number at an axis: as short as it can be.
fn tick(value: f64) -> String {
    if value >= 1_000.0 {
        thousands(value.round() as u64)
    } else {
        format!("{}", (value * 1e3).round() / 1e3)
    }
}

/// 10000 as "10,000".
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
