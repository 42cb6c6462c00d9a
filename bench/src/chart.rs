//! The medians as a picture: bars in an SVG that is readable on light and on dark pages.

use std::fmt::{self, Write};

use serde_json::Value;

use crate::figures::{Metric, Spread};
use crate::report::Report;
use crate::scenario::{direct, idle, room, storm};
use crate::subject::Subject;
use crate::table;

/// One group of bars, with a scale of its own.
struct Panel {
    scenario: &'static str,
    metric: Metric,
    title: &'static str,
    /// `{room.members}` stands for an option of the scenario.
    subtitle: &'static str,
}

const PANELS: [Panel; 8] = [
    Panel {
        scenario: direct::SATURATED,
        metric: direct::ACKED,
        title: "Direct messages",
        subtitle: "{direct.pairs} pairs, acknowledged messages/s: more is better",
    },
    Panel {
        scenario: room::SATURATED,
        metric: room::DELIVERIES,
        title: "Room of {room.members}, saturated",
        subtitle: "deliveries/s: more is better",
    },
    Panel {
        scenario: room::SMALL,
        metric: room::DELIVERIES,
        title: "Room of {room.small_members}, saturated",
        subtitle: "deliveries/s: more is better",
    },
    Panel {
        scenario: room::EVERYDAY,
        metric: room::CPU,
        title: "Room of {room.members}, everyday",
        subtitle: "{room.rate} messages/s, server CPU per delivery in µs: less is better",
    },
    Panel {
        scenario: direct::AT_A_FIFTH,
        metric: direct::ACK_P50,
        title: "Acknowledgement",
        subtitle: "at 20 % of each one's own top rate, p50 in ms: less is better",
    },
    Panel {
        scenario: direct::AT_HALF,
        metric: direct::DELIVERY_P99,
        title: "Sender to receiver",
        subtitle: "at half of each one's own top rate, p99 in ms: less is better",
    },
    Panel {
        scenario: idle::NAME,
        metric: idle::MEMORY,
        title: "Idle connection",
        subtitle: "of {idle.connections}, server memory in KiB: less is better",
    },
    Panel {
        scenario: storm::NAME,
        metric: storm::ARRIVALS,
        title: "Coming back",
        subtitle: "{storm.clients} at once, /s; nodeim's sign in as well: more is better",
    },
];

const SUBJECTS: [Subject; 6] =
    [Subject::Nodeim, Subject::NodeimPg, Subject::NodeSqlite, Subject::Node, Subject::Bare, Subject::Raw];

const STYLE: &str = "
    text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
    .title { font-size: 14px; font-weight: 600 }
    .dim { font-size: 11px; fill: #59636e }
    .end { text-anchor: end }
    .card { fill: #ffffff; stroke: #d1d9e0 }
    .own { fill: #0969da }
    .durable { fill: #818b98 }
    .memory { fill: #c3cbd3 }
    .spread { stroke: #1f2328; stroke-width: 1.2 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .dim { fill: #9198a1 }
      .card { fill: #0d1117; stroke: #3d444d }
      .own { fill: #4493f8 }
      .durable { fill: #7d8590 }
      .memory { fill: #4d555e }
      .spread { stroke: #f0f6fc }
    }
";

const WIDTH: usize = 900;
const MARGIN: usize = 24;
const COLUMN: usize = 434;
/// Of a column, for the names
const NAMES: usize = 160;
/// Of a column, for the longest bar
const BARS: usize = 186;
const ROW: usize = 20;
const HEAD: usize = 44;
const GAP: usize = 22;
const FOOT: usize = 56;

/// A chart of what there is; panels without figures are left out.
pub(crate) fn draw(report: &Report) -> String {
    let mut svg = String::new();
    write_chart(&mut svg, report).expect("writing to a String cannot fail");
    svg
}

fn write_chart(svg: &mut String, report: &Report) -> fmt::Result {
    let panels: Vec<_> = PANELS.iter().map(|panel| (panel, bars(report, panel))).collect();
    let panels: Vec<_> = panels.into_iter().filter(|(_, bars)| !bars.is_empty()).collect();
    let height_of = |pair: &[(&Panel, Vec<Bar>)]| {
        let rows = pair.iter().map(|(_, bars)| bars.len()).max().unwrap_or(0);
        HEAD + rows * ROW + GAP
    };
    let height = MARGIN + panels.chunks(2).map(height_of).sum::<usize>() + FOOT;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">"#
    )?;
    writeln!(svg, "  <title>nodeim beside other servers</title>\n  <style>{STYLE}  </style>")?;
    let (width, inner) = (WIDTH - 1, height - 1);
    writeln!(svg, r#"  <rect class="card" x="0.5" y="0.5" width="{width}" height="{inner}" rx="6"/>"#)?;
    let mut top = MARGIN;
    for pair in panels.chunks(2) {
        for (column, (panel, bars)) in pair.iter().enumerate() {
            let left = MARGIN + column * COLUMN;
            write_panel(svg, left, top, panel, bars, report.options())?;
        }
        top += height_of(pair);
    }
    write_foot(svg, top, report)?;
    writeln!(svg, "</svg>")
}

struct Bar {
    subject: Subject,
    spread: Spread,
}

fn bars(report: &Report, panel: &Panel) -> Vec<Bar> {
    let bar = |subject| Some(Bar { subject, spread: report.spread(panel.scenario, subject, panel.metric)? });
    SUBJECTS.into_iter().filter_map(bar).collect()
}

fn write_panel(svg: &mut String, left: usize, top: usize, panel: &Panel, bars: &[Bar], options: &Value) -> fmt::Result {
    let (title, subtitle) = (filled_in(panel.title, options), filled_in(panel.subtitle, options));
    writeln!(svg, r#"  <text class="title" x="{left}" y="{}">{}</text>"#, top + 12, escaped(&title))?;
    writeln!(svg, r#"  <text class="dim" x="{left}" y="{}">{}</text>"#, top + 29, escaped(&subtitle))?;
    let greatest = bars.iter().map(|bar| bar.spread.max).fold(f64::MIN_POSITIVE, f64::max);
    for (row, Bar { subject, spread }) in bars.iter().enumerate() {
        let start = left + NAMES;
        let x = |value: f64| start as f64 + BARS as f64 * (value / greatest).max(0.0);
        let y = top + HEAD + row * ROW;
        let (middle, baseline) = (y + 7, y + 11);
        writeln!(svg, r#"  <text class="end" x="{}" y="{baseline}">{}</text>"#, start - 8, escaped(subject.title()))?;
        let (kind, width) = (kind(*subject), x(spread.median) - start as f64);
        writeln!(svg, r#"  <rect class="{kind}" x="{start}" y="{y}" width="{width:.1}" height="14" rx="2"/>"#)?;
        let (least, most) = (x(spread.min), x(spread.max));
        if most - least >= 1.0 {
            writeln!(svg, r#"  <line class="spread" x1="{least:.1}" y1="{middle}" x2="{most:.1}" y2="{middle}"/>"#)?;
        }
        let value = table::figure(spread.median);
        writeln!(svg, r#"  <text x="{:.1}" y="{baseline}">{value}</text>"#, most.max(x(spread.median)) + 6.0)?;
    }
    Ok(())
}

/// What the colours mean, and what all of it was measured on.
fn write_foot(svg: &mut String, top: usize, report: &Report) -> fmt::Result {
    let keys = [
        ("own", "nodeim: on disk before the ack", 0),
        ("durable", "others: on disk before the ack", 230),
        ("memory", "others: nothing is stored", 460),
    ];
    for (kind, text, offset) in keys {
        let x = MARGIN + offset;
        writeln!(svg, r#"  <rect class="{kind}" x="{x}" y="{}" width="12" height="12" rx="2"/>"#, top + 2)?;
        writeln!(svg, r#"  <text class="dim" x="{}" y="{}">{text}</text>"#, x + 18, top + 12)?;
    }
    let text = escaped(&report.provenance());
    writeln!(svg, r#"  <text class="dim" x="{MARGIN}" y="{}">{text}</text>"#, top + 34)
}

fn kind(subject: Subject) -> &'static str {
    match subject {
        _ if subject.is_nodeim() => "own",
        _ if subject.is_durable() => "durable",
        _ => "memory",
    }
}

/// `text` with the options that it names in braces.
fn filled_in(text: &str, options: &Value) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        let value = options.pointer(&format!("/{}", name.replace('.', "/"))).and_then(Value::as_f64);
        filled.push_str(before);
        filled.push_str(&value.map_or_else(|| "?".to_owned(), table::figure));
        rest = after;
    }
    filled + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{escaped, filled_in};

    #[test]
    fn options_stand_in_titles() {
        let options = json!({ "room": { "members": 1000 } });
        assert_eq!(filled_in("Room of {room.members}, everyday", &options), "Room of 1,000, everyday");
        assert_eq!(filled_in("{room.rate} messages/s", &options), "? messages/s");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("a < b & c > d"), "a &lt; b &amp; c &gt; d");
    }
}
