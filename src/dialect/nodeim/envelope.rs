//! The two shapes of a command, and where its reply goes.
//!
//! Old clients have no acknowledgements: their `socket.command(name, data, callback)` sends the event `name` with
//! `{"id": 7, "data": {...}}`, and gets the event `rspn` with `{"id": 7, "cmd": name, "data": reply}`. Modern ones
//! send the bare `data` and ask for an acknowledgement, which is the bare reply.

use serde_json::{Map, Value};

use crate::transport::{Call, Link};

/// A command's parameters, and the tag by which its sender knows the reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    pub payload: Map<String, Value>,
    pub tag: Option<Value>,
}

/// Who sent an event, as far as it changes how its argument is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Socket.IO 0.9, without an acknowledgement: most probably the client of 2013, which leaves `data` out where it
    /// has none, so an `id` alone is its counter.
    Old,
    Other,
}

impl Sender {
    pub(super) fn of(link: &Link, call: &Call) -> Self {
        if link.is_09 && call.reply.is_none() { Self::Old } else { Self::Other }
    }
}

/// Opens the first argument of an event. What is no object counts as an empty one.
///
/// Exactly `id` (a number or string) and `data` (an object or null) are the old envelope; everything else is the
/// payload itself. That is unambiguous: no command has a parameter `data` with an object in it. From an old client
/// all that has a `data`, and all that has nothing but an `id`, is an envelope too.
pub fn open(argument: Value, sender: Sender) -> Envelope {
    let Value::Object(mut object) = argument else {
        return Envelope { payload: Map::new(), tag: None };
    };
    let tag = object.get("id").filter(|id| id.is_number() || id.is_string()).cloned();
    let is_envelope = object.len() == 2 && tag.is_some();
    if is_envelope {
        match object.get_mut("data") {
            Some(Value::Object(data)) => return Envelope { payload: std::mem::take(data), tag },
            Some(Value::Null) => return Envelope { payload: Map::new(), tag },
            _ => {}
        }
    }
    let has_only_id = object.keys().all(|key| key == "id");
    if sender == Sender::Old && (object.contains_key("data") || has_only_id) {
        let data = object.remove("data");
        let payload = if let Some(Value::Object(data)) = data { data } else { Map::new() };
        return Envelope { payload, tag: object.remove("id") };
    }
    Envelope { payload: object, tag }
}

/// The event `rspn` for a reply that has no acknowledgement to go to.
pub(super) fn rspn(tag: Option<&Value>, command: &str, reply: &str) -> String {
    let id = tag.map(|tag| format!(r#""id":{tag},"#)).unwrap_or_default();
    format!(r#"{{{id}"cmd":{},"data":{reply}}}"#, Value::from(command))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn opened(argument: Value, sender: Sender) -> (Value, Value) {
        let envelope = open(argument, sender);
        (Value::Object(envelope.payload), envelope.tag.unwrap_or(Value::Null))
    }

    /// The rows of the contract's case table that concern Engine.IO connections.
    #[test]
    fn the_case_table() {
        for (argument, payload, tag) in [
            // W1: unwrapped, with a tag of any value.
            (json!({"id": 5, "data": {"to": 1, "message": "x"}}), json!({"to": 1, "message": "x"}), json!(5)),
            (json!({"id": 0, "data": {}}), json!({}), json!(0)),
            (json!({"id": "a", "data": null}), json!({}), json!("a")),
            (json!({"id": 1.5, "data": {}}), json!({}), json!(1.5)),
            // W3: the command's own id.
            (json!({"id": 5}), json!({"id": 5}), json!(5)),
            (json!({"id": null}), json!({"id": null}), Value::Null),
            // W3: an attribute called data.
            (
                json!({"username": "u", "password": "p", "id": 9, "data": {"a": 1}}),
                json!({"username": "u", "password": "p", "id": 9, "data": {"a": 1}}),
                json!(9),
            ),
            // W3: two scalar criteria.
            (json!({"id": 3, "data": "x"}), json!({"id": 3, "data": "x"}), json!(3)),
            (json!({"id": 3, "data": [1]}), json!({"id": 3, "data": [1]}), json!(3)),
            (json!({"id": {}, "data": {}}), json!({"id": {}, "data": {}}), Value::Null),
            (json!({"data": {"a": 1}}), json!({"data": {"a": 1}}), Value::Null),
            // No object at all.
            (json!(null), json!({}), Value::Null),
            (json!([1, 2]), json!({}), Value::Null),
            (json!(7), json!({}), Value::Null),
            (json!("x"), json!({}), Value::Null),
        ] {
            assert_eq!(opened(argument.clone(), Sender::Other), (payload, tag), "{argument}");
        }
    }

    /// The rows that concern Socket.IO 0.9 without an acknowledgement.
    #[test]
    fn the_case_table_of_old_clients() {
        for (argument, payload, tag) in [
            // W1: as from others.
            (json!({"id": 7, "data": {"id": 5}}), json!({"id": 5}), json!(7)),
            (json!({"id": 0, "data": null}), json!({}), json!(0)),
            // W2: an id alone is the counter, and data is the payload whatever stands beside it.
            (json!({"id": 7}), json!({}), json!(7)),
            (json!({"id": null}), json!({}), Value::Null),
            (json!({}), json!({}), Value::Null),
            (json!({"data": {"a": 1}}), json!({"a": 1}), Value::Null),
            (json!({"id": 7, "data": {"a": 1}, "more": 1}), json!({"a": 1}), json!(7)),
            (json!({"id": 7, "data": "x"}), json!({}), json!(7)),
            (json!({"id": 7, "data": [1]}), json!({}), json!(7)),
            (json!({"id": {"a": 1}, "data": {"b": 1}}), json!({"b": 1}), json!({"a": 1})),
            (json!([1]), json!({}), Value::Null),
            // W3: a client without the addition of 2013.
            (json!({"username": "u", "password": "p"}), json!({"username": "u", "password": "p"}), Value::Null),
            (json!({"id": 7, "password": "p"}), json!({"id": 7, "password": "p"}), json!(7)),
        ] {
            assert_eq!(opened(argument.clone(), Sender::Old), (payload, tag), "{argument}");
        }
    }

    #[test]
    fn rspn_echoes_the_tag_with_its_type_or_leaves_it_out() {
        assert_eq!(rspn(Some(&json!(0)), "find", "{}"), r#"{"id":0,"cmd":"find","data":{}}"#);
        assert_eq!(rspn(Some(&json!("7\"")), "find", "{}"), r#"{"id":"7\"","cmd":"find","data":{}}"#);
        assert_eq!(rspn(None, "a\"b", "{}"), r#"{"cmd":"a\"b","data":{}}"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("(id|data|to|[a-z]{1,3})", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_replies_are_json(argument in any_json(), command in any::<String>()) {
            let envelope = open(argument.clone(), Sender::Other);
            let is_wrapped = Value::Object(envelope.payload.clone()) != argument;
            if is_wrapped && argument.is_object() {
                let inside = argument["data"].as_object().cloned().unwrap_or_default();
                prop_assert_eq!(&envelope.payload, &inside);
                prop_assert_eq!(envelope.tag.as_ref(), argument.get("id"));
            }
            let reply: Value = serde_json::from_str(&rspn(envelope.tag.as_ref(), &command, "{\"code\":200}")).unwrap();
            prop_assert_eq!(&reply["cmd"], &Value::from(command));
            prop_assert_eq!(reply.get("id"), envelope.tag.as_ref());
        }
    }
}
