//! Tables and figures for the terminal.

use comfy_table::{CellAlignment, Table, presets};

use crate::figures::Spread;

/// A table with its figures to the right.
pub(crate) fn render(head: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// `12.3 (11.9 - 12.8)`, or the figure alone where all rounds agree.
pub(crate) fn spread(spread: Spread) -> String {
    let Spread { median, min, max, .. } = spread;
    if min == max {
        return figure(median);
    }
    format!("{} ({} - {})", figure(median), figure(min), figure(max))
}

/// Three digits that count, or all of an integer's, in groups.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 {
        return grouped(value.round() as i64);
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    match size {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0 {
        grouped.insert(0, '-');
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_are_short() {
        let figures = [0.0, 0.1234, 5.678, 12.0, 56.78, 567.8, 1234.5, 1_234_567.0, -4321.0];
        let shown: Vec<_> = figures.into_iter().map(figure).collect();
        let expected = ["0", "0.123", "5.68", "12", "56.8", "568", "1,235", "1,234,567", "-4,321"];
        assert_eq!(shown, expected);
    }
}
