//! The inside of an event packet: `{"name":"find","args":[{...}]}`.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::transport::Unreadable;

/// What `send` raises at the other end, where it is given an object. Old server: the same.
const JSON_EVENT: &str = "message";

/// Reads the name and the first argument (`Null` if there is none); further ones are passed over. Where the argument
/// cannot be read the name is still given, so that the event can be answered. Nothing if there is no name.
pub(super) fn decode(data: &str) -> Option<(String, Result<Value, Unreadable>)> {
    // A struct may be written as a list for serde, but not for clients.
    if !data.trim_start().starts_with('{') {
        return None;
    }
    if let Ok(Event { name, args: First(argument) }) = serde_json::from_str(data) {
        return Some((name, Ok(argument)));
    }
    let Event::<Skipped> { name, .. } = serde_json::from_str(data).ok()?;
    Some((name, Err(Unreadable)))
}

/// Reads the data of a JSON packet as the event that it stands for. Nothing if it is no object.
pub(super) fn decode_json(data: &str) -> Option<(String, Result<Value, Unreadable>)> {
    let object = serde_json::from_str(data).ok().filter(Value::is_object)?;
    Some((JSON_EVENT.to_owned(), Ok(object)))
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned + Default")]
struct Event<T> {
    name: String,
    #[serde(default)]
    args: T,
}

/// Arguments that are not looked at.
#[derive(Default)]
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The first of the arguments.
#[derive(Default)]
struct First(Value);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Arguments;

        impl<'de> Visitor<'de> for Arguments {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event's arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut arguments: A) -> Result<First, A::Error> {
                let first = arguments.next_element()?.unwrap_or_default();
                while arguments.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }

        deserializer.deserialize_seq(Arguments)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn name_and_first_argument() {
        for (data, expected) in [
            (r#"{"name":"find","args":[{"id":1},"more"]}"#, Some(("find", Ok(json!({"id": 1}))))),
            (r#"{"name":"find","args":[]}"#, Some(("find", Ok(Value::Null)))),
            (r#"{"args":[7],"name":"find","more":{}}"#, Some(("find", Ok(json!(7))))),
            (r#"{"name":"find"}"#, Some(("find", Ok(Value::Null)))),
            (r#"{"name":"find","args":{"0":1}}"#, Some(("find", Err(Unreadable)))),
            (r#"{"name":7,"args":[]}"#, None),
            (r#"{"args":[]}"#, None),
            (r#"{"name":"find","args":[}"#, None),
            (r#"["find",[{}]]"#, None),
            ("", None),
            ("null", None),
        ] {
            let decoded = decode(data);
            assert_eq!(decoded.as_ref().map(|(name, argument)| (name.as_str(), argument.clone())), expected, "{data}");
        }
    }

    #[test]
    fn deep_nesting_costs_the_argument_and_keeps_the_name() {
        let deep = format!(r#"{{"name":"find","args":[{}{}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(decode(&deep), Some(("find".to_owned(), Err(Unreadable))));
    }

    #[test]
    fn json_packets_are_the_event_message_if_they_hold_an_object() {
        assert_eq!(decode_json(r#"{"to":1}"#), Some(("message".to_owned(), Ok(json!({"to": 1})))));
        for data in ["", "7", "[{}]", "null", "{"] {
            assert_eq!(decode_json(data), None, "{data}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            for text in [text.clone(), format!(r#"{{"name":"x","args":[{text}]}}"#), format!(r#"{{"name":{text}}}"#)] {
                decode(&text);
                decode_json(&text);
            }
        }

        #[test]
        fn any_event_comes_through(name in any::<String>(), text in any::<String>(), number in any::<i64>()) {
            let argument = json!({"text": text, "number": number, "list": [1, null, {"a": true}]});
            let event = json!({"name": name, "args": [argument]}).to_string();
            prop_assert_eq!(decode(&event), Some((name, Ok(argument))));
        }
    }
}
