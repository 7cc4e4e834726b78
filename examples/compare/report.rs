//! The report: one HTML file that needs nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::cells::{Group, Results, Spread, title};
use super::common::{Run, Source, Style};
use super::plot::{self, thousands};
use super::table::number;
use super::verdict::{Standing, Verdict, verdict};

/// Writes the report to `file`, and makes the folder for it.
pub(crate) fn write(file: &Path, results: &Results, machine: &[(&str, String)]) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, page(results, machine)?)?;
    Ok(())
}

/// What stands in the columns and plots of memory.
const MEMORY: &str = "Peak memory is the most that a run's process and its worker processes had at once; a server or a load \
                      client that only helps is not counted. It is the same measure for every style, the proportional set \
                      size (Pss): of a page that several processes map, such as the program's code, each is charged an equal \
                      share, so that nothing counts twice. It is sampled every few milliseconds while memory grows, and once \
                      more before a process ends; a peak that lasts less than five milliseconds can be missed.";

fn page(results: &Results, machine: &[(&str, String)]) -> Result<String> {
    let groups = results.groups.iter().filter(|group| !group.cells.is_empty());
    let mut sections: Vec<(Verdict, &Group)> = groups.map(|group| (verdict(group), group)).collect();
    // Where async loses comes first; the sort keeps the kit's order otherwise.
    sections.sort_by_key(|(verdict, _)| verdict.standing);

    let mut html = String::new();
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Threads or async: the comparison</title><style>{}</style></head><body>\n\
         <h1>Threads or async, for this load, on this machine?</h1>\n\
         <p class=\"soft\">Each run was a process of its own, with its server or its load in another. Figures are medians over \
         the runs; in small type, the lowest and the highest. Nothing here was measured elsewhere or earlier.</p>\n\
         <p class=\"soft\" id=\"memory\">{MEMORY}</p>\n<ul>\n",
        include_str!("report.css")
    )?;
    for (verdict, group) in &sections {
        let name = group.workload.name;
        writeln!(
            html,
            "<li><a href=\"#{name}\">{name}</a>{} {}{}</li>",
            tag(verdict),
            escape(&verdict.finding),
            escape(&verdict.against)
        )?;
    }
    html += "</ul>\n";
    for (verdict, group) in &sections {
        section(&mut html, group, verdict)?;
    }
    let groups: Vec<&Group> = sections.iter().map(|(_, group)| *group).collect();
    programs(&mut html, &groups)?;
    html += "<section id=\"machine\"><h2>The machine and the versions</h2>\n<dl>\n";
    for (name, value) in machine {
        writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escape(value))?;
    }
    writeln!(html, "</dl></section>\n<script>{}</script>\n</body></html>", include_str!("report.js"))?;
    Ok(html)
}

fn section(html: &mut String, group: &Group, verdict: &Verdict) -> Result<()> {
    let workload = group.workload;
    let (figure, _) = title(workload.decides);
    writeln!(
        html,
        "<section id=\"{0}\"><h2>{0}{1}</h2>\n<p class=\"question\">{2}</p>\n<p class=\"verdict\">{3}</p>\n\
         <p class=\"verdict\">{4}{5}{6}</p>",
        workload.name,
        tag(verdict),
        escape(workload.question),
        escape(&format!("What decides is {figure}, because {}", workload.because)),
        escape(&verdict.finding),
        escape(&verdict.against),
        escape(&verdict.rest)
    )?;
    let mut plots = String::new();
    for figure in workload.plots {
        plots += &plot::over_n(group, *figure)?.unwrap_or_default();
    }
    if !plots.is_empty() {
        writeln!(html, "<div class=\"plots\">{plots}</div>\n<div class=\"legend\">{}</div>", legend(group))?;
    }
    table(html, group)?;
    sources(html, group)?;
    html.push_str("</section>\n");
    Ok(())
}

fn tag(verdict: &Verdict) -> String {
    let class = if verdict.standing == Standing::Loses { "tag loses" } else { "tag" };
    format!("<span class=\"{class}\">{}</span>", verdict.short)
}

fn legend(group: &Group) -> String {
    let drawn = group.workload.styles.iter().map(|source| source.style);
    let drawn = drawn.filter(|style| group.cells.iter().any(|cell| cell.style == *style));
    drawn
        .map(|style| {
            let plotters::style::RGBColor(r, g, b) = plot::colour(style);
            let blocks = if style.is_async() || style == Style::Callbacks { "" } else { " blocks" };
            format!("<span><span class=\"swatch{blocks}\" style=\"border-color:rgb({r},{g},{b})\"></span>{style}</span>")
        })
        .collect()
}

/// Takes a figure out of a run.
type Value<'a> = Box<dyn Fn(&Run) -> Option<f64> + 'a>;

/// A column of the table: its heading, its value in a run, and how to write that.
struct Column<'a> {
    name: String,
    of: Value<'a>,
    text: fn(Option<f64>) -> String,
}

/// The columns that at least one run has something for.
fn columns(group: &Group) -> Vec<Column<'_>> {
    let counted = |value: Option<f64>| value.map_or("-".into(), |value| thousands(value.round() as u64));
    let column =
        |name: &str, of: fn(&Run) -> Option<f64>, text| Column { name: name.into(), of: Box::new(of), text };
    let mut columns = vec![
        column("wall ms", |run| run.wall_ms, number),
        column("CPU ms", |run| run.cpu_ms, number),
        column("peak MiB", |run| run.peak_pss_kib.map(|kib| kib as f64 / 1024.0), number),
        column("threads", |run| run.threads.map(|count| count as f64), counted),
        column("switches", |run| run.switches.map(|count| count as f64), counted),
        column("p50 ms", |run| run.p50_us.map(|us| us as f64 / 1e3), number),
        column("p99 ms", |run| run.p99_us.map(|us| us as f64 / 1e3), number),
        column("p99.9 ms", |run| run.p999_us.map(|us| us as f64 / 1e3), number),
        column("errors", |run| Some(run.errors as f64), counted),
    ];
    let runs = || group.rows().flat_map(|cell| &cell.runs);
    // Figures that only this workload has.
    let also: BTreeSet<&String> = runs().flat_map(|run| run.also.keys()).collect();
    for name in also {
        columns.push(Column {
            name: name.clone(),
            of: Box::new(|run| run.also.get(name).copied()),
            text: number,
        });
    }
    columns.retain(|column| runs().any(|run| (column.of)(run).is_some()));
    columns
}

fn table(html: &mut String, group: &Group) -> Result<()> {
    let columns = columns(group);
    html.push_str("<div class=\"scroll\"><table><thead><tr><th>style</th><th>n</th>");
    for column in &columns {
        write!(html, "<th>{}</th>", escape(&column.name))?;
    }
    let counted = group.rows().any(|cell| cell.system_calls.is_some());
    let heading = if counted { "<th>system calls</th>" } else { "" };
    writeln!(html, "{heading}<th>runs</th></tr></thead><tbody>")?;
    for cell in group.rows() {
        write!(html, "<tr><td>{}</td><td>{}</td>", cell.style, thousands(cell.n))?;
        if let Some(why) = cell.failure() {
            writeln!(
                html,
                "<td class=\"why\" colspan=\"{}\">failed: {}</td></tr>",
                columns.len() + 1,
                escape(why)
            )?;
            continue;
        }
        for column in &columns {
            html.push_str(&spread(cell.over(&column.of), column.text));
        }
        if counted {
            write!(html, "<td>{}</td>", cell.system_calls.map_or("-".into(), thousands))?;
        }
        writeln!(html, "<td>{}</td></tr>", cell.runs.len())?;
    }
    html.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The median, and below it the range if there is one.
fn spread(spread: Option<Spread>, text: fn(Option<f64>) -> String) -> String {
    let Some(spread) = spread else { return "<td>-</td>".into() };
    let (low, median, high) = (text(Some(spread.low)), text(Some(spread.median)), text(Some(spread.high)));
    let range = if low == high { String::new() } else { format!("<br><small>{low} to {high}</small>") };
    format!("<td>{median}{range}</td>")
}

/// Where a workload's programs stand: variants such as `echo-idle` share the folder of `echo`.
fn folder(group: &Group) -> &'static str {
    let name = group.workload.name;
    name.split_once('-').map_or(name, |(folder, _)| folder)
}

/// Two panes, each with a list of the styles: at first one that blocks, and coroutines.
fn sources(html: &mut String, group: &Group) -> Result<()> {
    let (workload, folder) = (group.workload, folder(group));
    let has = |style: Style| workload.styles.iter().any(|source| source.style == style);
    let left = [Style::Threads, Style::Pool, Style::Sequential].into_iter().find(|style| has(*style));
    html.push_str("<div class=\"sources\">");
    for first in [left, Some(Style::Coroutines)] {
        write!(html, "<div class=\"pane\"><select aria-label=\"program of {}\">", workload.name)?;
        for Source { style, file, .. } in workload.styles {
            let selected = if Some(*style) == first { " selected" } else { "" };
            write!(
                html,
                "<option value=\"{folder}-{style}\"{selected}>{style} (examples/{folder}/{file})</option>"
            )?;
        }
        html.push_str("</select><pre tabindex=\"0\"></pre></div>");
    }
    html.push_str("</div>\n");
    Ok(())
}

/// Each program once, for the panes to show.
fn programs(html: &mut String, groups: &[&Group]) -> Result<()> {
    let mut written = BTreeSet::new();
    for group in groups {
        for Source { style, text, .. } in group.workload.styles {
            let id = format!("{}-{style}", folder(group));
            if written.insert(id.clone()) {
                writeln!(html, "<template id=\"{id}\">{}</template>", code(text))?;
            }
        }
    }
    Ok(())
}

/// A program as HTML, its comments in a soft colour.
fn code(text: &str) -> String {
    let mut html = String::new();
    for line in text.lines() {
        let comment = ["//", "#", "\"\"\""].iter().any(|mark| line.trim_start().starts_with(mark))
            && !line.trim_start().starts_with("#[");
        let line = escape(line);
        html += &if comment { format!("<span class=\"c\">{line}</span>\n") } else { format!("{line}\n") };
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
