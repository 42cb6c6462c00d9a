//! The inside of a Socket.IO event packet: `[name, argument, ...]`, as JSON or as msgpack.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use socketioxide_core::Value as Packet;

use super::text::undo_double_utf8;
use crate::transport::Unreadable;

const MAX_DEPTH: usize = 128;

/// Reads the name and the first argument (`Null` if there is none); further ones are passed over. Where the argument
/// cannot be read the name is still given, so that the event can be answered.
pub fn decode(packet: &Packet, was_encoded_twice: bool) -> (String, Result<Value, Unreadable>) {
    match packet {
        Packet::Str(text, _) => {
            let repaired = was_encoded_twice.then(|| undo_double_utf8(text)).flatten();
            let text = repaired.as_deref().unwrap_or(text);
            split(|| serde_json::from_str(text).ok(), || serde_json::from_str(text).ok())
        }
        Packet::Bytes(bytes) => split(|| from_msgpack(bytes), || from_msgpack(bytes)),
    }
}

/// As deep as JSON: the parser calls itself for each level, and would go eight times as deep by default.
fn from_msgpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer).ok()
}

fn split(
    whole: impl FnOnce() -> Option<Array<Value>>,
    name_only: impl FnOnce() -> Option<Array<Skipped>>,
) -> (String, Result<Value, Unreadable>) {
    match whole() {
        Some(array) => (array.name, Ok(array.argument)),
        None => (name_only().map(|array| array.name).unwrap_or_default(), Err(Unreadable)),
    }
}

struct Array<T> {
    name: String,
    argument: T,
}

/// An argument that is not looked at.
#[derive(Default)]
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(std::marker::PhantomData<T>);

        impl<'de, T: DeserializeOwned + Default> Visitor<'de> for Elements<T> {
            type Value = Array<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event's name and arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let name = elements.next_element()?.unwrap_or_default();
                let argument = elements.next_element()?.unwrap_or_default();
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Array { name, argument })
            }
        }

        deserializer.deserialize_seq(Elements(std::marker::PhantomData))
    }
}

/// JSON text that is written as it is, in the way of `serde_json`'s `RawValue`, which cannot be made of a borrowed
/// text without reading it once more. A test holds the two together.
pub(super) struct Raw<'a>(pub(super) &'a str);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const TOKEN: &str = "$serde_json::private::RawValue";
        let mut raw = serializer.serialize_struct(TOKEN, 1)?;
        raw.serialize_field(TOKEN, self.0)?;
        raw.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn decode_text(text: &str) -> (String, Result<Value, Unreadable>) {
        decode(&Packet::Str(text.to_owned().into(), None), false)
    }

    #[test]
    fn name_and_first_argument() {
        assert_eq!(decode_text(r#"["find",{"id":1},"more"]"#), ("find".to_owned(), Ok(json!({"id": 1}))));
        assert_eq!(decode_text(r#"["find"]"#), ("find".to_owned(), Ok(Value::Null)));
        assert_eq!(decode_text("[]"), (String::new(), Ok(Value::Null)));
        assert_eq!(decode_text("[7]"), (String::new(), Err(Unreadable)));
    }

    #[test]
    fn deep_nesting_costs_the_argument_and_keeps_the_name() {
        let deep = format!(r#"["find",{}{}]"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(decode_text(&deep), ("find".to_owned(), Err(Unreadable)));
    }

    #[test]
    fn msgpack_too() {
        let bytes = rmp_serde::to_vec_named(&json!(["find", {"id": 1}])).unwrap();
        assert_eq!(decode(&Packet::Bytes(bytes.into()), false), ("find".to_owned(), Ok(json!({"id": 1}))));
        // ["find", [[[ ...
        let mut deep = vec![0x92, 0xa4, b'f', b'i', b'n', b'd'];
        deep.extend([0x91].repeat(100_000));
        deep.push(0xc0);
        assert_eq!(decode(&Packet::Bytes(deep.into()), false).1, Err(Unreadable));
    }

    #[test]
    fn raw_text_is_written_as_raw_value_writes_it() {
        let text = r#"{"a":  [1, "ü"]}"#;
        assert_eq!(serde_json::to_string(&[Raw(text)]).unwrap(), format!("[{text}]"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let (name, argument) = decode_text(&text);
            prop_assert!(argument.is_err() || serde_json::from_str::<Vec<Value>>(&text).is_ok(), "{name}");
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in any::<Vec<u8>>()) {
            let (name, argument) = decode(&Packet::Bytes(bytes.clone().into()), true);
            prop_assert!(argument.is_err() || rmp_serde::from_slice::<IgnoredAny>(&bytes).is_ok(), "{name}");
        }

        #[test]
        fn any_event_comes_through(name in any::<String>(), text in any::<String>(), number in any::<i64>()) {
            let argument = json!({"text": text, "number": number, "list": [1, null, {"a": true}]});
            let event = json!([name, argument]).to_string();
            prop_assert_eq!(decode_text(&event), (name, Ok(argument)));
        }
    }
}
