//! What modern clients do.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Client, PASSWORD, Server};

impl Server {
    /// Somebody new, signed in as a modern client does it.
    pub(crate) async fn modern(&self, username: &str) -> Client {
        let mut client = self.connect().await;
        client.ok("signup", json!({"username": username, "password": PASSWORD})).await;
        client.username = username.to_owned();
        client.sign_in_modern().await;
        client
    }

    /// A further device of somebody who is there already, signed in as a modern client does it.
    pub(crate) async fn modern_device(&self, owner: &Client) -> Client {
        let mut client = self.connect().await;
        client.username.clone_from(&owner.username);
        client.sign_in_modern().await;
        client
    }
}

impl Client {
    /// Signs in for the events of modern clients; returns the reply.
    pub(crate) async fn sign_in_modern(&mut self) -> Value {
        let credentials = json!({"username": self.username, "password": PASSWORD, "api": 2});
        let reply = self.ok("signin", credentials).await;
        self.id = reply["doc"]["id"].as_i64().unwrap();
        self.token = reply["token"].as_str().unwrap().to_owned();
        // The reply comes before the arrival, the next command after it: from now on nothing is missed.
        self.ok("users", json!({"ids": []})).await;
        reply
    }

    /// Says something to `to`; returns its number.
    pub(crate) async fn says(&mut self, to: i64, text: &str) -> i64 {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let cid = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let reply = self.ok("message", json!({"to": to, "message": text, "cid": cid})).await;
        reply["seq"].as_i64().unwrap()
    }

    /// The next event is a message; returns it as it stands in histories.
    pub(crate) async fn next_message(&mut self) -> Value {
        self.next("message").await["message"].take()
    }

    /// Nothing came since the last event that was taken, but what this marker brings: it is said by `other`, and
    /// everything for one connection arrives in order.
    pub(crate) async fn noticed_nothing(&mut self, other: &mut Self) {
        other.says(self.id, "marker").await;
        assert_eq!(self.next_message().await["text"], "marker", "{}", self.username);
    }
}

/// The texts of messages, in their order.
pub(crate) fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}
