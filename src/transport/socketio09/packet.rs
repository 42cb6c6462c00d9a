//! Packets: `type ":" [id ["+"]] ":" [endpoint] [":" data]`, as in `5:7+::{"name":"find","args":[{}]}`.

use std::fmt::Write;

/// Ends the session. The client stays away then, so the server sends it only as an answer to the client's own.
pub(super) const DISCONNECT: &str = "0::";
/// The first packet on every transport.
pub(super) const CONNECT: &str = "1::";
/// The server asks, the client answers the same.
pub(super) const HEARTBEAT: &str = "2::";
/// "Client not handshaken", with the advice to reconnect.
pub(super) const RECONNECT: &str = "7:::1+0";
/// Ends a poll for which there is nothing.
pub(super) const NOOP: &str = "8::";

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind,
    pub(super) ack: Ack,
    /// Empty for the main namespace.
    pub(super) endpoint: &'a str,
    pub(super) data: &'a str,
}

/// The types that a server has to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Disconnect,
    Connect,
    Heartbeat,
    Json,
    Event,
    /// Text without a name, acknowledgements of what we did not ask to be acknowledged, errors, and no-operations.
    Other,
}

/// Which answer the sender of a packet expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    None,
    /// `7`: word that the packet has arrived, at once.
    Receipt(i64),
    /// `7+`: what the application has to say.
    Reply(i64),
}

impl<'a> Packet<'a> {
    /// Reads a packet; nothing if it is none. Old server and client: the same, by a regular expression.
    pub(super) fn decode(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (id, rest) = rest.split_once(':')?;
        let kind = match kind {
            "0" => Kind::Disconnect,
            "1" => Kind::Connect,
            "2" => Kind::Heartbeat,
            "4" => Kind::Json,
            "5" => Kind::Event,
            "3" | "6" | "7" | "8" => Kind::Other,
            _ => return None,
        };
        let (endpoint, data) = rest.split_once(':').unwrap_or((rest, ""));
        Some(Self { kind, ack: Ack::decode(id)?, endpoint, data })
    }
}

impl Ack {
    fn decode(text: &str) -> Option<Self> {
        let (digits, wants_reply) = text.strip_suffix('+').map_or((text, false), |digits| (digits, true));
        if digits.is_empty() {
            return Some(Self::None);
        }
        // `parse` would take a sign as well.
        let id = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
        Some(if wants_reply { Self::Reply(id) } else { Self::Receipt(id) })
    }
}

/// `5:::{"name":"message","args":[{...}]}`. The name is one of our own, which JSON writes as it is.
pub(super) fn event(name: &str, json: &str) -> String {
    let mut packet = String::with_capacity(json.len() + name.len() + 32);
    packet.push_str(r#"5:::{"name":""#);
    packet.push_str(name);
    packet.push_str(r#"","args":["#);
    push_on_one_line(&mut packet, json);
    packet.push_str("]}");
    packet
}

/// `6:::7+[{...}]`: the application's answer to packet 7.
pub(super) fn ack(id: i64, json: &str) -> String {
    let mut packet = receipt(id);
    packet.reserve(json.len() + 3);
    packet.push_str("+[");
    push_on_one_line(&mut packet, json);
    packet.push(']');
    packet
}

/// `6:::7`: packet 7 has arrived.
pub(super) fn receipt(id: i64) -> String {
    let mut packet = String::with_capacity(16);
    write!(packet, "6:::{id}").expect("writing to a string does not fail");
    packet
}

/// Writes JSON without the two line ends that JSON allows in strings and JavaScript does not: the client looks for
/// the arguments of an acknowledgement up to the first of them, and over JSONP a packet stands in a script.
fn push_on_one_line(packet: &mut String, json: &str) {
    let mut rest = json;
    while let Some(at) = rest.find(['\u{2028}', '\u{2029}']) {
        let (before, after) = rest.split_at(at);
        packet.push_str(before);
        packet.push_str(if after.starts_with('\u{2028}') { "\\u2028" } else { "\\u2029" });
        rest = &after['\u{2028}'.len_utf8()..];
    }
    packet.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The examples of the contract's table, and its traps.
    #[test]
    fn packets_are_read_to_the_letter() {
        for (text, kind, ack, endpoint, data) in [
            ("0::", Kind::Disconnect, Ack::None, "", ""),
            ("0::/chat", Kind::Disconnect, Ack::None, "/chat", ""),
            ("1::", Kind::Connect, Ack::None, "", ""),
            ("1::/chat:q=1", Kind::Connect, Ack::None, "/chat", "q=1"),
            ("2::", Kind::Heartbeat, Ack::None, "", ""),
            ("3:1::hi", Kind::Other, Ack::Receipt(1), "", "hi"),
            ("4:::{\"a\":1}", Kind::Json, Ack::None, "", "{\"a\":1}"),
            ("5:7::{\"name\":\"x\"}", Kind::Event, Ack::Receipt(7), "", "{\"name\":\"x\"}"),
            ("5:7+::{\"name\":\"x\"}", Kind::Event, Ack::Reply(7), "", "{\"name\":\"x\"}"),
            ("5:+::{}", Kind::Event, Ack::None, "", "{}"),
            // With two colons the JSON is taken for an endpoint.
            ("5::{\"name\":\"x\"}", Kind::Event, Ack::None, "{\"name\"", "\"x\"}"),
            ("6:::4+[1]", Kind::Other, Ack::None, "", "4+[1]"),
            ("8::", Kind::Other, Ack::None, "", ""),
        ] {
            assert_eq!(Packet::decode(text), Some(Packet { kind, ack, endpoint, data }), "{text}");
        }
        for text in
            ["", "5", "5:", "9::", "55:::x", ":::", "5:x::{}", "5:-1+::{}", "5:++::{}", "5:99999999999999999999+::{}"]
        {
            assert_eq!(Packet::decode(text), None, "{text}");
        }
    }

    #[test]
    fn packets_are_written_to_the_letter() {
        assert_eq!(event("message", r#"{"m":"你好😀"}"#), r#"5:::{"name":"message","args":[{"m":"你好😀"}]}"#);
        assert_eq!(ack(7, r#"{"code":200}"#), r#"6:::7+[{"code":200}]"#);
        assert_eq!(receipt(4), "6:::4");
        assert_eq!(ack(1, "\"a\u{2028}b\u{2029}\""), "6:::1+[\"a\\u2028b\\u2029\"]");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>(), kind in "[0-9:]{0,3}", id in "[0-9+:]{0,4}") {
            for text in [text.clone(), format!("{kind}:{id}:{text}")] {
                if let Some(packet) = Packet::decode(&text) {
                    prop_assert!(text.ends_with(packet.data) && !packet.endpoint.contains(':'));
                }
            }
        }

        #[test]
        fn any_text_comes_through(text in "(.|\u{2028}|\u{2029}|\n|:|\u{fffd}){0,20}", id in 0..i64::MAX) {
            let json = Value::from(text.clone()).to_string();
            for packet in [event("message", &json), ack(id, &json)] {
                let ends_a_line = packet.contains(['\u{2028}', '\u{2029}', '\n']);
                prop_assert!(!ends_a_line);
            }
            let packet = event("message", &json);
            let data = Packet::decode(&packet).unwrap().data;
            prop_assert_eq!(serde_json::from_str::<Value>(data).unwrap(), json!({"name": "message", "args": [text]}));
        }
    }
}
