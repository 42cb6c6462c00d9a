//! Requests and replies exactly as on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::event::Person;
use crate::chat::ids::UserId;

/// Ids are nine digits without a leading zero here: this and our own.
const FIRST_ID: i64 = 100_000_000;
const LAST_ID: i64 = 999_999_999;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Register,
    Login,
    Query,
    Delete,
    Message,
    Broadcast,
    /// A type or an action that nobody knows.
    Unknown,
}

impl Verb {
    /// For the figures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Register => "mumichat.register",
            Self::Login => "mumichat.login",
            Self::Query => "mumichat.query",
            Self::Delete => "mumichat.delete",
            Self::Message => "mumichat.message",
            Self::Broadcast => "mumichat.broadcast",
            Self::Unknown => "mumichat.unknown",
        }
    }
}

/// `{"type": "action", "action": "login", "data": {"email": "a@b.c", "password": "x"}}`, or with the type `message` or
/// `broadcast` and no action.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) data: Data,
}

impl Request {
    /// None for what is no request: no object, or members of the wrong types.
    pub(super) fn read(frame: Value) -> Option<Self> {
        let Value::Object(mut frame) = frame else {
            return None;
        };
        let data = match frame.remove("data") {
            Some(Value::Object(data)) => data,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return None,
        };
        let text = |name: &str| match frame.get(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            None | Some(Value::Null) => Some(""),
            Some(_) => None,
        };
        let verb = match (text("type")?, text("action")?) {
            ("action", "register") => Verb::Register,
            ("action", "login") => Verb::Login,
            ("action", "query") => Verb::Query,
            ("action", "delete") => Verb::Delete,
            ("message", _) => Verb::Message,
            ("broadcast", _) => Verb::Broadcast,
            _ => Verb::Unknown,
        };
        Some(Self { verb, data: Data(data) })
    }
}

/// The parameters of a request: texts. Old server: what is none was dropped as if it were absent.
#[derive(Debug, PartialEq)]
pub(super) struct Data(Map<String, Value>);

impl Data {
    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// An id. Numbers are taken too.
    pub(super) fn id(&self, name: &str) -> Option<WireId> {
        let text = match self.0.get(name)? {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(WireId::read(&text))
    }
}

/// An id as somebody wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireId {
    User(UserId),
    /// No user can have it.
    Nobody,
}

impl WireId {
    fn read(text: &str) -> Self {
        let is_written_well = text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit());
        let id = text.parse().ok().filter(|id| is_written_well && (FIRST_ID..=LAST_ID).contains(id));
        id.map_or(Self::Nobody, |id: i64| Self::User(UserId(id - FIRST_ID)))
    }

    /// The nine digits of a user. Empty for those whose ids are too large for this wire.
    pub(super) fn of(user: UserId) -> String {
        let id = FIRST_ID.saturating_add(user.0);
        if (FIRST_ID..=LAST_ID).contains(&id) { id.to_string() } else { String::new() }
    }
}

/// `{"code": 202, "msg": "login success", "data": null}`
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) msg: &'static str,
    pub(super) data: Option<Vec<User>>,
}

/// `{"id":"289559048","username":"","email":"a@b.c","password":"","firstName":"Eric","lastName":"Chen",
/// "profileImage":"","key":"","isLogin":false}`
#[derive(Debug, Serialize)]
pub(super) struct User {
    id: String,
    username: String,
    pub(super) email: String,
    password: &'static str,
    #[serde(rename = "firstName")]
    pub(super) first_name: String,
    #[serde(rename = "lastName")]
    pub(super) last_name: String,
    #[serde(rename = "profileImage")]
    profile_image: &'static str,
    key: &'static str,
    #[serde(rename = "isLogin")]
    is_login: bool,
}

impl From<&Person> for User {
    fn from(person: &Person) -> Self {
        let user = &person.user;
        // Whoever has the attribute from another wire may have given it another type.
        let text = |name: &str| match user.attributes.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self {
            id: WireId::of(user.id),
            username: user.username.clone(),
            email: text("email"),
            password: "",
            first_name: text("firstName"),
            last_name: text("lastName"),
            profile_image: "",
            key: "",
            is_login: !person.presence.is_hidden(),
        }
    }
}

/// `{"id":"981","sender":"271693512","recipient":"289559048","content":"hello","created_at":"2019-07-15T09:28:10Z"}`
#[derive(Debug, Serialize)]
pub(super) struct Push<'a> {
    pub(super) id: String,
    pub(super) sender: String,
    /// Empty for broadcasts.
    pub(super) recipient: String,
    pub(super) content: &'a str,
    pub(super) created_at: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_told_apart() {
        for (frame, verb) in [
            (json!({"type": "action", "action": "login", "data": {}}), Some(Verb::Login)),
            (json!({"type": "action", "action": "query"}), Some(Verb::Query)),
            (json!({"type": "action", "action": "query", "data": null}), Some(Verb::Query)),
            (json!({"type": "message", "action": "login", "data": {}}), Some(Verb::Message)),
            (json!({"type": "broadcast", "data": {}}), Some(Verb::Broadcast)),
            (json!({"type": "action", "action": "fly", "data": {}}), Some(Verb::Unknown)),
            (json!({"type": "fly"}), Some(Verb::Unknown)),
            (json!({}), Some(Verb::Unknown)),
            (json!({"type": 1}), None),
            (json!({"type": "message", "data": "x"}), None),
            (json!({"type": "message", "data": [1]}), None),
            (json!([]), None),
            (json!(null), None),
            (json!("x"), None),
        ] {
            assert_eq!(Request::read(frame.clone()).map(|request| request.verb), verb, "{frame}");
        }
    }

    #[test]
    fn only_texts_count_and_numbers_for_ids() {
        let Value::Object(data) = json!({"a": "x", "b": "", "c": 1, "d": null, "id": 100_000_007, "to": "100000008"})
        else {
            unreachable!()
        };
        let data = Data(data);
        assert_eq!([data.text("a"), data.text("b"), data.text("c"), data.text("e")], [Some("x"), None, None, None]);
        assert_eq!(data.id("id"), Some(WireId::User(UserId(7))));
        assert_eq!(data.id("to"), Some(WireId::User(UserId(8))));
        assert_eq!((data.id("b"), data.id("d"), data.id("a")), (None, None, Some(WireId::Nobody)));
    }

    #[test]
    fn what_is_no_id_is_nobodys() {
        for text in [
            "099999999",
            "1000000000",
            "-10000000",
            "+10000000",
            "1e8",
            "100000000.0",
            " 100000001",
            "１００００００００",
        ] {
            assert_eq!(WireId::read(text), WireId::Nobody, "{text}");
        }
        assert_eq!(WireId::of(UserId(900_000_000)), "");
        assert_eq!(WireId::of(UserId(i64::MAX)), "");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "action|message|broadcast|login|query|.*".prop_map(Value::from),
        ];
        let name = || "type|action|data|id|recipient|content|.{0,3}";
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read(frame in any_json()) {
            if let Some(request) = Request::read(frame) {
                for name in ["id", "recipient", "content"] {
                    let _read = (request.data.id(name), request.data.text(name));
                }
            }
        }

        #[test]
        fn ids_go_there_and_back(id in 0_i64..900_000_000) {
            let text = WireId::of(UserId(id));
            prop_assert_eq!(text.len(), 9);
            prop_assert_eq!(WireId::read(&text), WireId::User(UserId(id)));
        }
    }
}
