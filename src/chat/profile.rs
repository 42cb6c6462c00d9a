//! The rules for free attributes: which are reserved, which private, how large they may be, how they compare.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::{Error, Reason, Result};
use super::names;

const MAX_ATTRIBUTES: usize = 64;
const MAX_NAME_BYTES: usize = 64;
const MAX_DOCUMENT_BYTES: usize = 32 * 1024;
/// Longer comparable values are compared by their hash, since PostgreSQL cannot index long ones.
const MAX_INDEXED_BYTES: usize = 128;

/// Attributes that only their owner sees.
const PRIVATE: [&str; 1] = ["groups"];

/// The attribute that is an identifier as well: no two accounts have the same.
pub const EMAIL: &str = "email";

/// Names that are columns or live values of their own and therefore never free attributes.
const RESERVED: [&str; 8] = ["id", "username", "password", "question", "answer", "presence", "group", "__proto__"];

/// Whether others may see the attribute `name`.
pub fn is_public(name: &str) -> bool {
    !PRIVATE.contains(&name)
}

/// Whether a client may store an attribute called `name`. Others are dropped without an error, since old
/// clients post their whole document back.
pub fn is_storable(name: &str) -> bool {
    !RESERVED.contains(&name) && !name.starts_with(['$', '_']) && !name.contains(['.', '\0'])
}

/// Whether `find` may look for the attribute `name`.
pub fn is_searchable(name: &str) -> bool {
    is_storable(name) && is_public(name)
}

/// The email address in a profile, if it has one: an account is found and can sign in under it.
pub fn email(document: &Map<String, Value>) -> Option<&str> {
    document.get(EMAIL).and_then(Value::as_str).filter(|email| !email.is_empty())
}

/// Replaces in `document` each attribute that `changes` gives, and leaves the others.
///
/// `facePath` goes into other people's windows as an image address: a value that is none is ignored.
///
/// # Errors
/// `Forbidden` if `email` is neither an address nor null or empty, or if the result has more than 64 attributes, a name over 64 bytes or more than 32 KiB of JSON.
pub fn merge(document: &mut Map<String, Value>, changes: Map<String, Value>) -> Result<()> {
    for (name, value) in changes {
        if name == EMAIL && !is_email(&value) {
            return Err(Error::Forbidden(Reason::BadEmail));
        }
        if is_storable(&name) && (name != "facePath" || is_face_path(&value)) {
            document.insert(name, value);
        }
    }
    let bytes = serde_json::to_vec(document).map_err(Error::internal)?.len();
    if document.len() > MAX_ATTRIBUTES
        || bytes > MAX_DOCUMENT_BYTES
        || document.keys().any(|name| name.len() > MAX_NAME_BYTES)
    {
        return Err(Error::Forbidden(Reason::ProfileTooLarge));
    }
    Ok(())
}

fn is_email(value: &Value) -> bool {
    match value {
        Value::String(email) => email.is_empty() || names::is_email(email),
        value => value.is_null(),
    }
}

/// An http(s) address or an upload's path, without what could end an HTML attribute. Empty means "none".
fn is_face_path(value: &Value) -> bool {
    let Value::String(path) = value else {
        return value.is_null();
    };
    let starts_well = ["http://", "https://", "/public/files/"].iter().any(|start| path.starts_with(start));
    let harmless = !path.chars().any(|c| c.is_whitespace() || c.is_control() || "\"'`<>\\".contains(c));
    path.is_empty() || (starts_well && harmless)
}

/// The form in which a scalar attribute is compared, or `None` for what never matches: null, lists, objects.
/// Numbers and numeric strings compare equal (`1`, `1.0` and `"1"`), strings otherwise exactly.
pub fn comparable(value: &Value) -> Option<String> {
    let key = match value {
        Value::Bool(value) => format!("b{value}"),
        Value::Number(number) => number_key(number.as_f64()?),
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() && looks_numeric(text) => number_key(number),
            _ => format!("s{text}"),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    if key.len() <= MAX_INDEXED_BYTES && !key.contains('\0') {
        return Some(key);
    }
    let digest = Sha256::digest(key.as_bytes());
    Some(format!("h{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

fn number_key(number: f64) -> String {
    // Adding zero turns -0 into 0.
    format!("n{}", number + 0.0)
}

/// Rust also parses `inf`, `nan` and the like as numbers; people who write those mean text.
fn looks_numeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_numeric_strings_compare_equal() {
        let one = comparable(&json!(1));
        assert_eq!(one, comparable(&json!("1")));
        assert_eq!(one, comparable(&json!(1.0)));
        assert_eq!(one, comparable(&json!("1.0")));
        assert_ne!(one, comparable(&json!("1a")));
        assert_ne!(one, comparable(&json!(true)));
        assert_ne!(comparable(&json!("inf")), comparable(&json!("infinity")));
        assert_eq!(comparable(&json!(0)), comparable(&json!(-0.0)));
    }

    #[test]
    fn lists_objects_and_null_never_match() {
        for value in [json!(null), json!([]), json!({"$gt": ""})] {
            assert_eq!(comparable(&value), None);
        }
    }

    #[test]
    fn reserved_names_are_dropped_and_the_rest_is_kept() {
        let mut document = Map::new();
        let changes = json!({
            "id": 7, "_id": 1, "username": "x", "password": "p", "answer": "a", "presence": "p", "group": "g",
            "$where": "1", "a.b": 1, "__proto__": {}, "constructor": {"x": 1}, "sex": "1", "groups": [{"name": "a"}]
        });
        let Value::Object(changes) = changes else { unreachable!() };
        merge(&mut document, changes).unwrap();
        assert_eq!(Value::Object(document), json!({"constructor": {"x": 1}, "sex": "1", "groups": [{"name": "a"}]}));
    }

    #[test]
    fn face_paths_cannot_break_out_of_an_attribute() {
        let good = [json!("https://a.example/x.png"), json!("/public/files/nodeim-server/a.png"), json!("")];
        let bad = [json!("javascript:alert(1)"), json!("http://x/\" onerror=\"a"), json!("//x"), json!(5)];
        assert!(good.iter().all(is_face_path));
        assert!(!bad.iter().any(is_face_path));
    }

    #[test]
    fn limits_hold() {
        let many: Map<String, Value> = (0..65).map(|n| (format!("k{n}"), json!(n))).collect();
        assert!(merge(&mut Map::new(), many).is_err());
        let large = Map::from_iter([("k".to_owned(), json!("x".repeat(33 * 1024)))]);
        assert!(merge(&mut Map::new(), large).is_err());
    }

    proptest! {
        #[test]
        fn comparable_values_are_short_and_without_nul(text in any::<String>()) {
            let key = comparable(&Value::String(text)).unwrap();
            prop_assert!(key.len() <= MAX_INDEXED_BYTES && !key.contains('\0'));
        }
    }
}
