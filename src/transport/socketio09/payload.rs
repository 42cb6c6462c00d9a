//! Bodies of polling requests and answers: one packet as it is, several as `U+FFFD length U+FFFD packet` each.
//!
//! The length counts UTF-16 code units, as JavaScript does.

use std::fmt::Write;

const MARK: char = '\u{fffd}';

/// A body with these packets.
pub(super) fn encode(mut packets: Vec<String>) -> String {
    if packets.len() == 1 {
        return packets.remove(0);
    }
    let mut body = String::with_capacity(packets.iter().map(|packet| packet.len() + 16).sum());
    for packet in packets {
        let units = packet.encode_utf16().count();
        write!(body, "{MARK}{units}{MARK}{packet}").expect("writing to a string does not fail");
    }
    body
}

/// The packets in a body, as far as it keeps to the form.
pub(super) fn decode(body: &str) -> Packets<'_> {
    Packets { rest: body, is_framed: body.starts_with(MARK) }
}

/// Packets, one by one.
pub(super) struct Packets<'a> {
    rest: &'a str,
    is_framed: bool,
}

impl<'a> Iterator for Packets<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = std::mem::take(&mut self.rest);
        if !self.is_framed {
            return Some(rest).filter(|packet| !packet.is_empty());
        }
        let (units, rest) = rest.strip_prefix(MARK)?.split_once(MARK)?;
        // `parse` would take a sign as well.
        let units = units.bytes().all(|byte| byte.is_ascii_digit()).then(|| units.parse().ok())??;
        let (packet, rest) = rest.split_at(bytes_of(rest, units)?);
        self.rest = rest;
        Some(packet)
    }
}

/// How many bytes the first `units` UTF-16 code units of `text` take; nothing if there are fewer, or they end inside
/// of a character.
fn bytes_of(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    let mut bytes = 0;
    for c in text.chars() {
        if left == 0 {
            break;
        }
        left = left.checked_sub(c.len_utf16())?;
        bytes += c.len_utf8();
    }
    (left == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(body: &str) -> Vec<&str> {
        decode(body).collect()
    }

    /// Checked with the real client: 44, which is neither characters (43) nor bytes (50).
    #[test]
    fn lengths_count_utf16_code_units() {
        let packets = [r#"5:::{"name":"message","args":[{"m":"你好😀"}]}"#.to_owned(), "8::".to_owned()];
        let body = "\u{fffd}44\u{fffd}5:::{\"name\":\"message\",\"args\":[{\"m\":\"你好😀\"}]}\u{fffd}3\u{fffd}8::";
        assert_eq!(encode(packets.to_vec()), body);
        assert_eq!(decoded(body), packets);
    }

    #[test]
    fn one_packet_stands_alone_and_none_is_nothing() {
        assert_eq!(encode(vec!["1::".to_owned()]), "1::");
        assert_eq!(encode(Vec::new()), "");
        assert_eq!(decoded("1::"), ["1::"]);
        assert_eq!(decoded(""), [""; 0]);
    }

    #[test]
    fn a_body_counts_up_to_where_it_is_wrong() {
        for (body, packets) in [
            ("\u{fffd}3\u{fffd}2::\u{fffd}4\u{fffd}2::", &["2::"][..]),
            ("\u{fffd}3\u{fffd}2::junk", &["2::"]),
            ("\u{fffd}3\u{fffd}2::\u{fffd}", &["2::"]),
            ("\u{fffd}1\u{fffd}😀", &[]),
            ("\u{fffd}+3\u{fffd}2::", &[]),
            ("\u{fffd}-3\u{fffd}2::", &[]),
            ("\u{fffd}99999999999999999999999\u{fffd}2::", &[]),
            ("\u{fffd}\u{fffd}2::", &[]),
            ("\u{fffd}0\u{fffd}\u{fffd}3\u{fffd}2::", &["", "2::"]),
            ("\u{fffd}3", &[]),
        ] {
            assert_eq!(decoded(body), packets, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_packets_come_through(packets in prop::collection::vec("(.|\u{fffd}|\n|😀){1,30}", 0..5)) {
            // Packets begin with a digit, so a lone one is never taken for a frame.
            let packets: Vec<String> = packets.into_iter().map(|packet| format!("5{packet}")).collect();
            let body = encode(packets.clone());
            prop_assert_eq!(decoded(&body), packets);
        }

        #[test]
        fn no_body_is_too_strange(body in "(\u{fffd}|[0-9]|[0-9]|:|😀|.){0,40}") {
            let packets = decoded(&body);
            prop_assert!(packets.iter().map(|packet| packet.len()).sum::<usize>() <= body.len());
        }
    }
}
