//! Statements over many rows.

use std::fmt::Write;

/// Parameters of one statement. SQLite looks each `$n` up in a list of all of them, which a few hundred can bear.
const MAX_PARAMETERS: usize = 320;

/// Splits `items`, which take `columns` parameters each, into runs whose lengths are powers of two, so that statements
/// over many rows have few different texts and stay prepared.
pub(super) fn runs<T>(mut items: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    let longest = 1 << (MAX_PARAMETERS / columns).ilog2();
    std::iter::from_fn(move || {
        let length = (1 << items.len().checked_ilog2()?).min(longest);
        let (run, rest) = items.split_at(length);
        items = rest;
        Some(run)
    })
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
pub(super) fn placeholders(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { ", " };
            write!(text, "{comma}${}", row * columns + column).expect("writing to a string does not fail");
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_everything_in_order() {
        let items: Vec<_> = (0..391).collect();
        let lengths = |columns| runs(&items, columns).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(2), [128, 128, 128, 4, 2, 1]);
        assert_eq!(lengths(3), [64, 64, 64, 64, 64, 64, 4, 2, 1]);
        assert_eq!(runs(&items, 10).map(<[_]>::len).max(), Some(32));
        assert_eq!(runs(&items, 2).flatten().copied().collect::<Vec<_>>(), items);
        assert_eq!(runs::<u8>(&[], 1).count(), 0);
    }

    #[test]
    fn placeholders_count_on() {
        assert_eq!(placeholders(2, 2), "($1, $2), ($3, $4)");
    }
}
