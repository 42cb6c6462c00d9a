//! Statements over many rows.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use sqlx::{Database, Sqlite};

use super::pool::Transaction;

/// How parameters are written. All queries say `$1`, which both engines know. SQLite looks such a name up in a list of
/// all of them, each time; where there are hundreds, a bare `?` is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Dollar,
    Question,
}

impl Marker {
    /// The better one for this transaction's engine.
    pub(super) fn of(transaction: &Transaction) -> Self {
        if transaction.backend_name() == Sqlite::NAME { Self::Question } else { Self::Dollar }
    }

    /// How many rows of so many columns a statement should have at most.
    pub(super) fn longest(self, columns: usize) -> usize {
        let parameters = match self {
            Self::Dollar => 320,
            Self::Question => 4096,
        };
        (parameters / columns).clamp(1, MAX_ROWS)
    }
}

/// Rows of one statement.
const MAX_ROWS: usize = 128;

/// Splits `items` into runs whose lengths are powers of two, at most `longest`, so that statements over many rows
/// have few different texts and stay prepared.
pub(super) fn runs<T>(mut items: &[T], longest: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << items.len().min(longest).checked_ilog2()?;
        let (run, rest) = items.split_at(length);
        items = rest;
        Some(run)
    })
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
pub(super) fn placeholders(rows: usize, columns: usize) -> String {
    marked(Marker::Dollar, rows, columns)
}

fn marked(marker: Marker, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            text.push_str(if column == 1 { "" } else { ", " });
            match marker {
                Marker::Question => text.push('?'),
                Marker::Dollar => {
                    write!(text, "${}", row * columns + column).expect("writing to a string does not fail");
                }
            }
        }
        text.push(')');
    }
    text
}

/// A statement over many rows whose texts, one for each length of a run, are made once.
pub(super) struct Template {
    columns: usize,
    build: fn(&str) -> String,
    texts: [OnceLock<Arc<str>>; 2 * LENGTHS],
}

/// 1, 2, 4 ... `MAX_ROWS`.
const LENGTHS: usize = MAX_ROWS.ilog2() as usize + 1;

impl Template {
    /// A statement that `build` makes of its `values` list.
    pub(super) const fn new(columns: usize, build: fn(&str) -> String) -> Self {
        Self { columns, build, texts: [const { OnceLock::new() }; 2 * LENGTHS] }
    }

    /// The text for a run of `rows` rows, as [`runs`] makes them.
    pub(super) fn text(&self, marker: Marker, rows: usize) -> Arc<str> {
        let place = rows.ilog2() as usize + if marker == Marker::Question { LENGTHS } else { 0 };
        Arc::clone(self.texts[place].get_or_init(|| (self.build)(&marked(marker, rows, self.columns)).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_everything_in_order() {
        let items: Vec<_> = (0..391).collect();
        let lengths = |longest| runs(&items, longest).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(128), [128, 128, 128, 4, 2, 1]);
        assert_eq!(lengths(100), [64, 64, 64, 64, 64, 64, 4, 2, 1]);
        assert_eq!(runs(&items, 29).flatten().copied().collect::<Vec<_>>(), items);
        assert_eq!(runs::<u8>(&[], 1).count(), 0);
    }

    #[test]
    fn placeholders_count_on() {
        assert_eq!(placeholders(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(marked(Marker::Question, 2, 2), "(?, ?), (?, ?)");
        let template = Template::new(1, |values| format!("insert {values}"));
        assert_eq!(&*template.text(Marker::Dollar, 2), "insert ($1), ($2)");
        assert_eq!(&*template.text(Marker::Question, 1), "insert (?)");
    }
}
