//! What a request asks for: `/socket.io/<protocol>/<transport>/<sid>?<query>`.

/// The resource below which this transport lives, as does Engine.IO.
const ROOT: &str = "/socket.io";
/// The revision that is spoken here.
const PROTOCOL: &str = "1";

/// A request for this transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// `/socket.io/` alone.
    Root,
    /// A revision of the protocol that nobody speaks here.
    OtherProtocol,
    Handshake,
    Session {
        transport: &'a str,
        sid: &'a str,
    },
}

impl<'a> Address<'a> {
    /// Reads a path and its query. Nothing for what belongs to Engine.IO or to nobody.
    ///
    /// The transport may be empty, with two slashes in a row: the client's synchronous goodbye has none.
    pub(super) fn of(path: &'a str, query: &str) -> Option<Self> {
        let rest = path.strip_prefix(ROOT)?;
        if rest.is_empty() || rest == "/" {
            return parameter(query, "EIO").is_none().then_some(Self::Root);
        }
        let mut segments = rest.strip_prefix('/')?.split('/');
        let protocol = segments.next().filter(|protocol| is_index(protocol))?;
        if protocol != PROTOCOL {
            return Some(Self::OtherProtocol);
        }
        let transport = segments.next().unwrap_or_default();
        let sid = segments.next().unwrap_or_default();
        Some(if transport.is_empty() && sid.is_empty() { Self::Handshake } else { Self::Session { transport, sid } })
    }
}

/// The value of a parameter, as it stands in the query; empty if it has none.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}

/// Whether a text is digits alone, and so harmless in a script.
pub(super) fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_told_apart() {
        let session = |transport, sid| Some(Address::Session { transport, sid });
        for (path, query, address) in [
            ("/socket.io", "", Some(Address::Root)),
            ("/socket.io/", "t=1", Some(Address::Root)),
            ("/socket.io/", "EIO=4&transport=polling", None),
            ("/socket.io", "transport=polling&EIO=3", None),
            ("/socket.io/1", "t=1", Some(Address::Handshake)),
            ("/socket.io/1/", "", Some(Address::Handshake)),
            ("/socket.io/1/websocket/abc", "", session("websocket", "abc")),
            ("/socket.io/1/websocket/abc/", "", session("websocket", "abc")),
            ("/socket.io/1/websocket", "", session("websocket", "")),
            ("/socket.io/1//abc/", "disconnect=1", session("", "abc")),
            ("/socket.io/2/", "", Some(Address::OtherProtocol)),
            ("/socket.io/0/websocket/abc", "", Some(Address::OtherProtocol)),
            ("/socket.io/11/", "", Some(Address::OtherProtocol)),
            ("/socket.io/0.9/socket.io.js", "", None),
            ("/socket.io/socket.io.js", "", None),
            ("/socket.io//", "", None),
            ("/socket.io-msgpack/", "EIO=4", None),
            ("/socket.iox", "", None),
            ("/", "", None),
        ] {
            assert_eq!(Address::of(path, query), address, "{path}?{query}");
        }
    }

    #[test]
    fn parameters_have_a_value_or_none() {
        assert_eq!(parameter("t=1&disconnect&jsonp=0", "disconnect"), Some(""));
        assert_eq!(parameter("t=1&disconnect&jsonp=0", "jsonp"), Some("0"));
        assert_eq!(parameter("tt=1", "t"), None);
        assert_eq!(["0", "12", "", "-1", "1;x", "１"].map(is_index), [true, true, false, false, false, false]);
    }

    proptest! {
        #[test]
        fn no_address_is_too_strange(
            path in "/socket.io(/[0-9]{0,3}|/.{0,4}|-msgpack){0,6}|.{0,20}",
            query in "([a-zA-Z]{0,4}=?&?){0,6}|.{0,20}",
        ) {
            if let Some(Address::Session { transport, sid }) = Address::of(&path, &query) {
                prop_assert!(!sid.contains('/'));
                prop_assert!(!transport.is_empty() || !sid.is_empty());
            }
            prop_assert!(parameter(&query, "sid").is_none_or(|value| query.contains(value)));
            prop_assert!(is_index(&path) == (!path.is_empty() && path.chars().all(|c| c.is_ascii_digit())));
        }
    }
}
