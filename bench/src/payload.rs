//! The text of a message: 100 bytes that say who sent it, as which message, and when.
//!
//! `~SSSSNNNNNNNNTTTTTTTTTTTT` and filler: sender, number, microseconds since the generator's start.
//! The `~` occurs nowhere else in a frame, so a receiver finds the stamp without parsing JSON.

use std::fmt::Write;

/// Length of every message's text.
pub(crate) const TEXT_BYTES: usize = 100;

const STAMP_BYTES: usize = 24;
const FILLER: &str = " the quick brown fox jumps over the lazy dog and comes back for lunch at noon";

/// What a received message says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sender: u32,
    pub(crate) number: u32,
    pub(crate) sent_us: u64,
}

impl Stamp {
    /// Appends the text of this message to `out`.
    pub(crate) fn write(self, out: &mut String) {
        let Stamp { sender, number, sent_us } = self;
        let filler = &FILLER[..TEXT_BYTES - 1 - STAMP_BYTES];
        write!(out, "~{sender:04}{number:08}{sent_us:012}{filler}").expect("writing to a String cannot fail");
    }

    /// Finds the stamp in a frame.
    pub(crate) fn find(frame: &str) -> Option<Self> {
        let frame = frame.as_bytes();
        let start = memchr::memchr(b'~', frame)? + 1;
        let stamp = frame.get(start..start + STAMP_BYTES)?;
        Some(Stamp {
            sender: u32::try_from(digits(&stamp[..4])?).ok()?,
            number: u32::try_from(digits(&stamp[4..12])?).ok()?,
            sent_us: digits(&stamp[12..])?,
        })
    }
}

fn digits(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

/// One receiver's view of the numbers it got, sender by sender.
#[derive(Debug)]
pub(crate) struct Tracker {
    next: Vec<u32>,
}

impl Tracker {
    pub(crate) fn new(senders: usize) -> Self {
        Tracker { next: vec![0; senders] }
    }

    /// Notes a message; false if it is not the one after its sender's last.
    pub(crate) fn note(&mut self, stamp: Stamp) -> bool {
        let Some(next) = self.next.get_mut(stamp.sender as usize) else {
            return false;
        };
        let in_order = stamp.number == *next;
        *next = stamp.number.wrapping_add(1);
        in_order
    }
}

#[cfg(test)]
mod tests {
    use super::{Stamp, TEXT_BYTES, Tracker};

    const STAMP: Stamp = Stamp { sender: 7, number: 123, sent_us: 4_567_890 };

    #[test]
    fn a_stamp_is_found_again() {
        let mut text = String::new();
        STAMP.write(&mut text);
        assert_eq!(text.len(), TEXT_BYTES);
        let frame = format!(r#"42["message",{{"from":{{"id":1}},"message":"{text}","time":5}}]"#);
        assert_eq!(Stamp::find(&frame), Some(STAMP));
        assert_eq!(Stamp::find(&frame[..50]), None);
        assert_eq!(Stamp::find("no stamp"), None);
    }

    #[test]
    fn gaps_and_repeats_are_noticed() {
        let numbered = |number| Stamp { sender: 0, number, sent_us: 0 };
        let mut tracker = Tracker::new(1);
        let noted: Vec<_> = [0, 1, 1, 2, 4, 5].map(|n| tracker.note(numbered(n))).into();
        assert_eq!(noted, [true, true, false, true, false, true]);
        assert!(!tracker.note(STAMP), "a sender that does not exist");
    }
}
