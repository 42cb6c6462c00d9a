//! What people do with a connection.

use serde_json::{Value, json};

use super::Client;

/// Everybody's, where the test is not about passwords.
pub(crate) const PASSWORD: &str = "111111";

impl Client {
    /// Makes an account and signs in.
    pub(super) async fn become_new(&mut self, username: &str) {
        self.ok("signup", json!({"username": username, "password": PASSWORD})).await;
        self.username = username.to_owned();
        self.sign_in().await;
    }

    /// Signs in with the usual password; returns the reply.
    pub(crate) async fn sign_in(&mut self) -> Value {
        let credentials = json!({"username": self.username, "password": PASSWORD});
        let reply = self.ok("signin", credentials).await;
        self.id = reply["doc"]["id"].as_i64().unwrap();
        self.token = reply["token"].as_str().unwrap().to_owned();
        reply
    }

    /// Says something to `to`.
    pub(crate) async fn say(&mut self, to: i64, text: &str) {
        self.ok("message", json!({"to": to, "message": text})).await;
    }

    /// The next event is the message `text`; returns it.
    pub(crate) async fn hears(&mut self, text: &str) -> Value {
        let message = self.next("message").await;
        assert_eq!(message["message"], text, "{} heard {message}", self.username);
        message
    }

    /// Nothing came since the last event that was taken. The proof is a message that `other` sends now: what goes to
    /// one connection arrives in order, so whatever was sent before would come first.
    pub(crate) async fn heard_nothing(&mut self, other: &mut Self) {
        let marker = format!("marker from {}", other.username);
        other.say(self.id, &marker).await;
        self.hears(&marker).await;
    }

    /// A room of that name with this person in it; returns its id.
    pub(crate) async fn room(&mut self, name: &str) -> i64 {
        let reply = self.ok("room.create", json!({"name": name})).await;
        self.next("room.join").await;
        reply["room"]["id"].as_i64().unwrap()
    }

    /// Enters a room and takes the event of it.
    pub(crate) async fn join(&mut self, room: i64) {
        self.ok("room.join", json!({"id": room})).await;
        self.next("room.join").await;
    }
}

/// Makes two people friends of each other, and takes the events of it.
pub(crate) async fn befriend(one: &mut Client, other: &mut Client) {
    one.ok("subscribe", json!({"to": other.id})).await;
    other.next("message").await;
    other.ok("reply", json!({"to": one.id})).await;
    one.next("message").await;
}
