//! What the tests share: a server of one's own, clients that speak to it, and waiting that has an end.

mod client;
mod database;
mod modern;
mod mumi;
mod old;
mod people;
mod polling;
pub(crate) mod process;
mod server;
mod upload;

use std::time::Duration;

use serde_json::Value;

pub(crate) use client::{Client, Gone, Revision};
pub(crate) use database::Database;
pub(crate) use modern::texts;
pub(crate) use mumi::{Mumi, wire_id};
pub(crate) use old::{Http, Old, TRANSPORTS, frame, unframe};
pub(crate) use people::{PASSWORD, befriend};
pub(crate) use polling::Polling;
pub(crate) use process::{Process, run_to_end};
pub(crate) use server::Server;
pub(crate) use upload::{Form, answer, picture, send_chunk};

/// How long anything may take that must happen. Long, for machines that do other things too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `future`, but not for ever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// Asks until the answer is yes.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let ask = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(what, ask).await;
}

/// The code of a reply, which is always a number; with any code but 200 comes a text for people.
#[track_caller]
pub(crate) fn code(reply: &Value) -> u64 {
    let code = reply["code"].as_u64().unwrap_or_else(|| panic!("no numeric code: {reply}"));
    if code != 200 {
        assert!(reply["message"].as_str().is_some_and(|text| !text.is_empty()), "no message for people: {reply}");
    }
    code
}

/// The names of an object's members, sorted.
#[track_caller]
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The member `name` of each item.
pub(crate) fn each<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(|item| &item[name]).collect()
}
