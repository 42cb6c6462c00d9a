//! What the server says was said, and whether everybody has it.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use serde_json::json;

use super::ledger::{Ledger, Promise, Talk};
use super::seen::{Given, Inner};
use super::wire::Person;

/// A conversation from its first message to its last.
pub(crate) type History = Vec<Given>;

/// Reads the whole of a conversation through somebody who is in it. The numbers must have no gaps.
pub(crate) async fn read(address: SocketAddr, reader: &Person, talk: Talk) -> History {
    let mut wire = reader.enter(address, true, &mut Vec::new()).await.expect("the server is there");
    let mut history = Vec::new();
    loop {
        let mut query = talk.named_by(reader.id);
        query["after"] = json!(history.len());
        query["limit"] = json!(200);
        let reply = wire.ok("history", query).await;
        for message in reply["messages"].as_array().unwrap() {
            assert_eq!(message["seq"].as_u64(), Some(history.len() as u64 + 1), "a number is missing before {message}");
            history.push(Given::modern(message));
        }
        if reply["more"] == false {
            return history;
        }
    }
}

/// Holds what is stored against what was sent: every acknowledged message is there once, where it was said to be,
/// each sender's in the order in which they were sent, and nothing else is there.
pub(crate) fn check_stored(stored: &HashMap<Talk, History>, ledger: &Ledger) {
    let sent = ledger.sent();
    let mut found = HashSet::new();
    for (talk, history) in stored {
        let mut latest = HashMap::new();
        for (place, given) in history.iter().enumerate() {
            let said = sent.get(&given.text).unwrap_or_else(|| panic!("nobody sent {given:?}"));
            assert_eq!((said.talk, said.from), (*talk, given.from), "{given:?} is not where it was sent");
            assert!(found.insert(&given.text), "{given:?} is stored twice");
            if let Some(Promise::At { seq, id }) = &said.promise {
                assert_eq!((*seq, id), (place as i64 + 1, &given.id), "{given:?} is not what was acknowledged");
            }
            let before = latest.insert(given.from, said.number);
            assert!(before < Some(said.number), "{given:?} comes after number {before:?} of the same sender");
        }
    }
    let lost: Vec<_> = sent.iter().filter(|(text, said)| said.promise.is_some() && !found.contains(text)).collect();
    assert!(lost.is_empty(), "{} acknowledged messages are lost: {lost:?}", lost.len());
}

/// Whether a recipient has been given as many messages as are stored for them.
pub(crate) fn is_complete(seen: &Inner, talks: &[Talk], stored: &HashMap<Talk, History>) -> bool {
    talks.iter().all(|talk| seen.order.get(talk).map_or(0, Vec::len) >= stored[talk].len())
}

/// What a recipient has not been given of it.
pub(crate) fn missing<'a>(seen: &Inner, talks: &[Talk], stored: &'a HashMap<Talk, History>) -> Vec<&'a Given> {
    let of_talk =
        |talk| stored[talk].iter().filter(|given| !seen.order.get(talk).is_some_and(|seen| seen.contains(given)));
    talks.iter().flat_map(of_talk).collect()
}

/// Whether they were exactly those, in their order.
pub(crate) fn check_seen(who: &str, seen: &Inner, talks: &[Talk], stored: &HashMap<Talk, History>) {
    for talk in talks {
        let given = seen.order.get(talk).map_or(&[][..], Vec::as_slice);
        if let Some(place) = (0..given.len().max(stored[talk].len())).find(|&at| given.get(at) != stored[talk].get(at))
        {
            panic!("{who}, {talk:?}: {place} was {:?}, stored is {:?}", given.get(place), stored[talk].get(place));
        }
    }
    assert!(seen.order.keys().all(|talk| talks.contains(talk)), "{who} was given something of other conversations");
}
