//! One line on the terminal that says what runs now and how far that is; nothing where stderr is no terminal.

use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const LINE: &str = "{elapsed_precise} {bar:24} {pos}/{len} {msg}";

/// There is one stderr, hence one line.
static BAR: LazyLock<ProgressBar> = LazyLock::new(|| {
    let bar = ProgressBar::no_length();
    if !bar.is_hidden() {
        bar.set_style(ProgressStyle::with_template(LINE).expect("the template is valid"));
        bar.enable_steady_tick(Duration::from_secs(1));
    }
    bar
});

/// So many runs are to come.
pub(crate) fn begin(runs: usize) {
    BAR.set_length(runs as u64);
    BAR.set_position(0);
}

/// One of them is over.
pub(crate) fn step() {
    BAR.inc(1);
}

pub(crate) fn show(what: String) {
    BAR.set_message(what);
}

/// Says something that stays; also where there is no terminal.
pub(crate) fn note(what: &str) {
    BAR.suspend(|| eprintln!("  note: {what}"));
}

/// Takes the line away.
pub(crate) fn end() {
    BAR.finish_and_clear();
}
