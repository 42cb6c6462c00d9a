//! What clients of different generations write and read: how they connect, what a command looks like, what a ping is.

/// A wire that clients of nodeim's speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Socket.IO 5 over Engine.IO 4, as clients 3.x and 4.x
    SocketIo,
    /// Socket.IO 0.9, as the client of 2013
    SocketIo09,
    /// JSON objects over a bare WebSocket
    MumiChat,
}

impl Wire {
    /// A frame with the command `event` and its JSON; the ack will carry `id`. On MumiChat's wire, an action, which
    /// has no number.
    pub(crate) fn command(self, id: u64, event: &str, data: &str) -> String {
        match self {
            Wire::SocketIo => format!("42{id}[\"{event}\",{data}]"),
            Wire::SocketIo09 => format!("5:{id}+::{{\"name\":\"{event}\",\"args\":[{data}]}}"),
            Wire::MumiChat => format!("{{\"type\":\"action\",\"action\":\"{event}\",\"data\":{data}}}"),
        }
    }

    /// The answer to `frame`, if it is a ping. MumiChat's are the WebSocket's own, which its library answers.
    pub(crate) fn pong(self, frame: &str) -> Option<&'static str> {
        match self {
            Wire::SocketIo => (frame == "2").then_some("3"),
            Wire::SocketIo09 => (frame == "2::").then_some("2::"),
            Wire::MumiChat => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wire;

    #[test]
    fn commands_are_written_to_the_letter() {
        assert_eq!(Wire::SocketIo.command(7, "find", "{}"), r#"427["find",{}]"#);
        assert_eq!(Wire::SocketIo09.command(7, "find", "{}"), r#"5:7+::{"name":"find","args":[{}]}"#);
        let login = r#"{"type":"action","action":"login","data":{}}"#;
        assert_eq!(Wire::MumiChat.command(7, "login", "{}"), login);
    }

    #[test]
    fn pings_are_answered_in_kind() {
        assert_eq!(Wire::SocketIo.pong("2"), Some("3"));
        assert_eq!(Wire::SocketIo.pong("2::"), None);
        assert_eq!(Wire::SocketIo09.pong("2::"), Some("2::"));
        assert_eq!(Wire::MumiChat.pong("2"), None);
    }
}
