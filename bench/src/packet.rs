//! What a received Socket.IO packet is, told by its first bytes, which are others in 0.9 than in 5. No JSON is parsed
//! here.

/// A packet of the main namespace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// `42["message",{...}]`; in 0.9, `5:::{"name":"message","args":[{...}]}`
    Message,
    /// `43<id>[...]`; in 0.9, `6:::<id>+[...]`: the id and the JSON after it
    Ack { id: u64, body: &'a str },
    /// Another event, or nothing that concerns a client
    Other,
}

impl<'a> Packet<'a> {
    /// Looks at `text`, a whole WebSocket text frame.
    pub(crate) fn of(text: &'a str) -> Self {
        if text.starts_with("42[\"message\",") || text.starts_with("5:::{\"name\":\"message\",") {
            return Packet::Message;
        }
        let Some(rest) = text.strip_prefix("43").or_else(|| text.strip_prefix("6:::")) else {
            return Packet::Other;
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, body) = rest.split_at(digits);
        match id.parse() {
            Ok(id) => Packet::Ack { id, body: body.strip_prefix('+').unwrap_or(body) },
            Err(_) => Packet::Other,
        }
    }
}

/// Whether an ack's body says `{"code":200}`.
pub(crate) fn is_success(body: &str) -> bool {
    // The first form is what servers write; the search is for one that puts another key first.
    body.starts_with("[{\"code\":200") || body.contains("\"code\":200")
}

#[cfg(test)]
mod tests {
    use super::{Packet, is_success};

    #[test]
    fn packets_are_told_apart() {
        assert_eq!(Packet::of(r#"42["message",{"to":1}]"#), Packet::Message);
        assert_eq!(Packet::of(r#"42["messages",{}]"#), Packet::Other);
        assert_eq!(Packet::of("43[]"), Packet::Other);
        assert_eq!(Packet::of("40{\"sid\":\"x\"}"), Packet::Other);
        assert_eq!(Packet::of(""), Packet::Other);
        assert_eq!(Packet::of(r#"4317[{"code":200}]"#), Packet::Ack { id: 17, body: r#"[{"code":200}]"# });
    }

    #[test]
    fn so_are_those_of_0_9() {
        assert_eq!(Packet::of(r#"5:::{"name":"message","args":[{"to":1}]}"#), Packet::Message);
        assert_eq!(Packet::of(r#"5:::{"name":"messages","args":[{}]}"#), Packet::Other);
        assert_eq!(Packet::of(r#"6:::17+[{"code":200}]"#), Packet::Ack { id: 17, body: r#"[{"code":200}]"# });
        assert_eq!(Packet::of("2::"), Packet::Other);
        assert_eq!(Packet::of("1::"), Packet::Other);
    }

    #[test]
    fn success_is_code_200() {
        assert!(is_success(r#"[{"code":200}]"#));
        assert!(is_success(r#"[{"message":"x","code":200}]"#));
        assert!(!is_success(r#"[{"code":500,"message":"no"}]"#));
    }
}
