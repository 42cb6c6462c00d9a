//! Parameters as nodeim's clients write them: numbers as strings, flags as numbers. Nothing here fails: what has the
//! wrong type counts as absent, or, for ids, as an id that nobody has.

use serde::Deserialize;
use serde_json::Value;

/// An id: a positive integer, or a string of digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) enum Id {
    /// Not given, or null.
    #[default]
    Absent,
    /// Given, but nobody can have it: a float, a negative number, another text.
    Nobody,
    Given(i64),
}

impl Id {
    /// This one, or the other if this one is absent.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Absent { other } else { self }
    }
}

impl From<Value> for Id {
    fn from(value: Value) -> Self {
        let id = match &value {
            Value::Null => return Self::Absent,
            Value::Number(number) => number.as_i64(),
            // Old clients take ids from the page, and send an empty field as an empty string.
            Value::String(text) if text.is_empty() => return Self::Absent,
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        id.filter(|id| *id > 0).map_or(Self::Nobody, Self::Given)
    }
}

/// A list of ids; none if it is no list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Ids(pub(super) Option<Vec<Id>>);

impl From<Value> for Ids {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(items) => Self(Some(items.into_iter().map(Id::from).collect())),
            _ => Self(None),
        }
    }
}

/// A text: a string, or a number taken as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    /// The text, unless it is empty.
    pub(super) fn filled(self) -> Option<String> {
        self.0.filter(|text| !text.is_empty())
    }

    /// The same, borrowed.
    pub(super) fn filled_ref(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }
}

/// A flag. Old server: any truthy value, and the string "0" too; here "0" is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Flag(pub(super) bool);

impl From<Value> for Flag {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Null => false,
            Value::Bool(flag) => flag,
            Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
            Value::String(text) => !text.is_empty() && text != "0",
            Value::Array(_) | Value::Object(_) => true,
        })
    }
}

/// A flag that must be given, and be one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Switch(pub(super) Option<bool>);

impl From<Value> for Switch {
    fn from(value: Value) -> Self {
        let is_one = matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
        Self(is_one.then(|| Flag::from(value).0))
    }
}

/// A time or a page: a finite number, or a string of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Number(pub(super) Option<i64>);

impl From<Value> for Number {
    fn from(value: Value) -> Self {
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        // JavaScript's safe integers; beyond them a number would not come back as it was sent.
        let safe = -9_007_199_254_740_991.0..=9_007_199_254_740_991.0;
        Self(number.filter(|number| safe.contains(number)).map(|number| number as i64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids() {
        for (value, id) in [
            (json!(12), Id::Given(12)),
            (json!("12"), Id::Given(12)),
            (json!(null), Id::Absent),
            (json!(""), Id::Absent),
            (json!(0), Id::Nobody),
            (json!(-1), Id::Nobody),
            (json!(1.5), Id::Nobody),
            (json!("1.5"), Id::Nobody),
            (json!("abc"), Id::Nobody),
            (json!("99999999999999999999"), Id::Nobody),
            (json!(true), Id::Nobody),
            (json!({"$gt": ""}), Id::Nobody),
            (json!([1]), Id::Nobody),
        ] {
            assert_eq!(Id::from(value.clone()), id, "{value}");
        }
    }

    #[test]
    fn flags() {
        for value in [json!(1), json!(true), json!("1"), json!("x"), json!({}), json!([])] {
            assert!(Flag::from(value.clone()).0, "{value}");
        }
        for value in [json!(0), json!(false), json!("0"), json!(""), json!(null)] {
            assert!(!Flag::from(value.clone()).0, "{value}");
        }
    }

    #[test]
    fn texts_and_numbers() {
        assert_eq!(Text::from(json!(111_111)).filled().as_deref(), Some("111111"));
        assert_eq!(Text::from(json!({"$gt": ""})).0, None);
        assert_eq!(Text::from(json!("")).filled(), None);
        assert_eq!(Number::from(json!("2")).0, Some(2));
        assert_eq!(Number::from(json!(1.9)).0, Some(1));
        assert_eq!(Number::from(json!(1e300)).0, None);
        assert_eq!(Number::from(json!("NaN")).0, None);
    }

    proptest! {
        #[test]
        fn given_ids_are_positive(text in any::<String>(), number in any::<f64>()) {
            for id in [Id::from(json!(text)), Id::from(json!(number))] {
                prop_assert!(!matches!(id, Id::Given(id) if id <= 0));
            }
        }

        #[test]
        fn numbers_come_back_as_they_were_sent(text in "[-+ ]{0,2}[0-9]{0,20}([.e][0-9]{0,4})?|.{0,6}", number in any::<f64>()) {
            for value in [json!(text), json!(number)] {
                if let Some(number) = Number::from(value).0 {
                    prop_assert_eq!(number as f64 as i64, number);
                }
            }
        }

        #[test]
        fn whole_numbers_are_taken_as_they_are(number in -9_007_199_254_740_991_i64..=9_007_199_254_740_991) {
            prop_assert_eq!(Number::from(json!(number)).0, Some(number));
            prop_assert_eq!(Number::from(json!(number.to_string())).0, Some(number));
        }
    }
}
