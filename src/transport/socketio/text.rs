//! Text for and from clients of Engine.IO 3 over polling: client 1.x encodes and decodes UTF-8 once too often there.

/// JSON with every character outside of ASCII written as `\uXXXX`. Such text is the same however often it is
/// encoded. Valid JSON has those characters inside of strings only.
pub(super) fn to_ascii(json: &str) -> String {
    use std::fmt::Write;

    let mut ascii = String::with_capacity(json.len() * 2);
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(ascii, "\\u{unit:04x}").expect("writing to a string does not fail");
        }
    }
    ascii
}

/// Undoes a second UTF-8 encoding: text whose characters, taken as bytes, are UTF-8 again was encoded twice.
/// `None` for all other text. What looks so by chance ("Ã©" typed by a 2.x client over polling) is no real text.
pub(super) fn undo_double_utf8(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn encoded_again(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn only_double_encoding_is_undone() {
        assert_eq!(undo_double_utf8(&encoded_again("你好😀")).as_deref(), Some("你好😀"));
        for text in ["hi", "你好", "déjà vu", "mix 你 Ã©"] {
            assert_eq!(undo_double_utf8(text), None);
        }
    }

    proptest! {
        #[test]
        fn ascii_json_means_the_same(text in any::<String>()) {
            let json = Value::String(text).to_string();
            let ascii = to_ascii(&json);
            prop_assert!(ascii.is_ascii());
            prop_assert_eq!(serde_json::from_str::<Value>(&ascii).unwrap(), serde_json::from_str::<Value>(&json).unwrap());
        }

        #[test]
        fn any_doubly_encoded_text_comes_back(text in any::<String>()) {
            if !text.is_ascii() {
                prop_assert_eq!(undo_double_utf8(&encoded_again(&text)), Some(text));
            }
        }
    }
}
