//! Whatever comes as a command's parameters is read, or said to be unreadable.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::modern::{amending, attention, lists, people, rooms, sessions};
use super::{decode, wire};
use crate::chat::error::{Error, Reason};

/// Names of parameters, and others.
const NAMES: &str = "username|password|question|answer|id|presence|token|device|api|everywhere|doc|newpassword|to|room\
                     |message|time|cid|format|reply|file|from|page|refuse|group|name|intro|before|after|limit|marks\
                     |seq|text|user|users|mute|until|on|avatar|data|[a-z]{1,4}|.{0,2}";

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{0,20}|plain|html|NaN|1e999|-?[0-9]{1,3}\\.[0-9]|.{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((NAMES, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_payload() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((NAMES, any_value()), 0..8).prop_map(|members| members.into_iter().collect())
}

macro_rules! reads {
    ($payload:expr, $($request:ty),+ $(,)?) => {
        $(
            if let Err(error) = decode::<$request>($payload.clone()) {
                prop_assert!(matches!(error, Error::Invalid(Reason::Unreadable)), "{error}");
            }
        )+
    };
}

proptest! {
    #[test]
    fn any_parameters_of_any_command_are_read(payload in any_payload()) {
        reads!(
            payload,
            wire::SignUp,
            wire::SignIn,
            wire::SignOut,
            wire::Nothing,
            wire::Presence,
            wire::Profile,
            wire::Retrieve,
            wire::Say,
            wire::Log,
            wire::Subscribe,
            wire::Reply,
            wire::Unsubscribe,
            wire::Friends,
            wire::Group,
            wire::CreateRoom,
            wire::WhichRoom,
            lists::Conversations,
            lists::History,
            lists::Search,
            lists::Resume,
            amending::Edit,
            amending::Recall,
            attention::Read,
            attention::Where,
            attention::Mute,
            sessions::EndSession,
            rooms::OfRoom,
            rooms::Profile,
            rooms::Invite,
            rooms::OfMember,
            people::OfUser,
            people::Users,
        );
    }
}
