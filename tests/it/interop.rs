//! People on different wires find each other, see each other come and go, and talk: live, and after having been away.

use serde_json::{Value, json};

use crate::support::{Client, Mumi, Old, PASSWORD, Revision, Server, befriend, until, wire_id};

/// The clients of the table in `docs/interop.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SocketIo4,
    SocketIo2,
    SocketIo09,
    MumiChat,
}

/// Somebody on one of the wires.
struct Person {
    kind: Kind,
    name: String,
    id: i64,
    voice: Voice,
}

enum Voice {
    New(Client),
    Old(Old),
    Mumi(Mumi),
}

impl Person {
    /// Somebody new, signed in.
    async fn new(server: &Server, kind: Kind, name: &str) -> Self {
        match kind {
            Kind::MumiChat => server.mumi().await.register(&format!("{name}@example.com")).await,
            _ => drop(server.connect().await.ok("signup", json!({"username": name, "password": PASSWORD})).await),
        }
        Self::back(server, kind, name).await
    }

    /// Somebody who has an account, signed in.
    async fn back(server: &Server, kind: Kind, name: &str) -> Self {
        let (id, voice) = match kind {
            Kind::SocketIo4 | Kind::SocketIo2 => {
                let revision = if kind == Kind::SocketIo2 { Revision::V3 } else { Revision::V4 };
                let mut client = Client::connect(server.address, revision).await;
                client.username = name.to_owned();
                client.sign_in().await;
                (client.id, Voice::New(client))
            }
            Kind::SocketIo09 => {
                let old = server.old_device(name, "websocket").await;
                (old.id, Voice::Old(old))
            }
            Kind::MumiChat => {
                let mumi = server.mumi_again(&format!("{name}@example.com")).await;
                (0, Voice::Mumi(mumi))
            }
        };
        Self { kind, name: name.to_owned(), id, voice }
    }

    async fn leave(self) {
        match self.voice {
            Voice::New(client) => client.close().await,
            Voice::Old(mut old) => old.send("0::").await,
            Voice::Mumi(mumi) => mumi.close().await,
        }
    }

    /// Finds `other` by what this wire asks for; returns whether they seem to be here, and notes their id.
    async fn finds(&mut self, other: &mut Self) -> bool {
        let by_email = json!({"email": format!("{}@example.com", other.name)});
        let by_name = json!({"username": other.name});
        let criteria = if other.kind == Kind::MumiChat { [by_email, by_name] } else { [by_name.clone(), by_name] };
        let mut seen = Vec::new();
        for criteria in criteria {
            let user = match &mut self.voice {
                Voice::New(client) => client.ok("find", criteria).await["users"][0].take(),
                Voice::Old(old) => old.ok("find", criteria).await["users"][0].take(),
                Voice::Mumi(mumi) => mumi.find(criteria).await.remove(0),
            };
            seen.push(match self.kind {
                Kind::MumiChat => {
                    (user["id"].as_str().unwrap().parse::<i64>().unwrap() - 100_000_000, user["isLogin"] == true)
                }
                _ => (user["id"].as_i64().unwrap(), user["presence"] == "在线"),
            });
        }
        assert_eq!(seen[0].0, seen[1].0);
        other.id = seen[0].0;
        if let Voice::Mumi(mumi) = &mut self.voice {
            let by_id = mumi.find(json!({"id": wire_id(other.id)})).await;
            assert_eq!(by_id[0]["username"], other.name);
        }
        // The later one: they may have gone in between.
        seen[1].1
    }

    /// Says something that all alphabets and both formats have a part in; `n` tells it from others.
    async fn say(&mut self, to: i64, n: u32, is_there: bool) {
        let html = format!("{n} <b>你好</b> 1 &lt; 2 &amp; 3<br>😀");
        match &mut self.voice {
            Voice::New(client) => client.say(to, &html).await,
            Voice::Old(old) => drop(old.ok("message", json!({"to": to, "message": html})).await),
            Voice::Mumi(mumi) => {
                let code = mumi.say(&wire_id(to), &format!("{n} 你好 1 < 2 & 3\n😀")).await;
                assert_eq!(code, if is_there { 201 } else { 10008 });
            }
        }
    }

    /// The next thing that is heard is what `from` has said as `n`, as this wire shows it.
    async fn hears(&mut self, from: &Self, n: u32) {
        let html = match from.kind {
            Kind::MumiChat => format!("{n} 你好 1 &lt; 2 &amp; 3<br>😀"),
            _ => format!("{n} <b>你好</b> 1 &lt; 2 &amp; 3<br>😀"),
        };
        let sender = match &mut self.voice {
            Voice::New(client) => client.hears(&html).await["from"]["id"].clone(),
            Voice::Old(old) => old.hears(&html).await["from"]["id"].clone(),
            Voice::Mumi(mumi) => {
                let push = mumi.hears(&format!("{n} 你好 1 < 2 & 3\n😀")).await;
                json!(push["sender"].as_str().unwrap().parse::<i64>().unwrap() - 100_000_000)
            }
        };
        assert_eq!(sender, from.id);
    }
}

async fn talk(from: Kind, to: Kind) {
    let server = Server::start().await;
    let mut alee = Person::new(&server, from, "alee").await;
    let mut bob = Person::new(&server, to, "bob").await;
    assert!(alee.finds(&mut bob).await);
    assert!(bob.finds(&mut alee).await);

    for n in 0..3 {
        alee.say(bob.id, n, true).await;
        bob.hears(&alee, n).await;
    }

    let id = bob.id;
    bob.leave().await;
    let mut away = Person { kind: to, name: "bob".to_owned(), id, voice: Voice::Mumi(server.mumi().await) };
    until("bob is seen to go", async || !alee.finds(&mut away).await).await;
    for n in 3..6 {
        alee.say(id, n, false).await;
    }
    let mut bob = Person::back(&server, to, "bob").await;
    for n in 3..6 {
        bob.hears(&alee, n).await;
    }
    assert!(alee.finds(&mut bob).await);
    alee.say(bob.id, 6, true).await;
    bob.hears(&alee, 6).await;
}

macro_rules! pairs {
    ($($name:ident: $from:ident $to:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                talk(Kind::$from, Kind::$to).await;
            }
        )*
    };
}

pairs! {
    sio4_to_sio4: SocketIo4 SocketIo4,
    sio4_to_sio2: SocketIo4 SocketIo2,
    sio4_to_sio09: SocketIo4 SocketIo09,
    sio4_to_mumichat: SocketIo4 MumiChat,
    sio2_to_sio4: SocketIo2 SocketIo4,
    sio2_to_sio2: SocketIo2 SocketIo2,
    sio2_to_sio09: SocketIo2 SocketIo09,
    sio2_to_mumichat: SocketIo2 MumiChat,
    sio09_to_sio4: SocketIo09 SocketIo4,
    sio09_to_sio2: SocketIo09 SocketIo2,
    sio09_to_sio09: SocketIo09 SocketIo09,
    sio09_to_mumichat: SocketIo09 MumiChat,
    mumichat_to_sio4: MumiChat SocketIo4,
    mumichat_to_sio2: MumiChat SocketIo2,
    mumichat_to_sio09: MumiChat SocketIo09,
    mumichat_to_mumichat: MumiChat MumiChat,
}

/// Who logs in on a wire without rooms has not been given what was said there.
#[tokio::test]
async fn what_is_said_in_rooms_waits_for_a_client_that_has_rooms() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.next("room.join").await;
    bob.close().await;
    alee.ok("room.message", json!({"room": room, "message": "in the room"})).await;
    let mut mumi = server.mumi().await;
    mumi.register("x@example.com").await;
    assert_eq!(mumi.code("login", json!({"email": "bob", "password": PASSWORD})).await, 202);
    alee.next("message").await;
    // Members see bob come.
    assert_eq!(alee.next("room.join").await["user"]["username"], "bob");
    alee.ok("room.message", json!({"room": room, "message": "live"})).await;
    mumi.heard_nothing().await;
    mumi.close().await;
    let mut bob = server.device("bob").await;
    assert_eq!(bob.next("room.join").await["newbie"], false);
    bob.hears("in the room").await;
    bob.hears("live").await;
}

#[tokio::test]
async fn friends_of_other_wires_see_one_come_and_go() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    bob.close().await;
    assert_eq!(alee.next("presence").await["presence"], "离线");
    let mut mumi = server.mumi().await;
    assert_eq!(mumi.code("login", json!({"email": "bob", "password": PASSWORD})).await, 202);
    assert_eq!(alee.next("presence").await["presence"], "在线");
    mumi.close().await;
    assert_eq!(alee.next("presence").await["presence"], "离线");
}

#[tokio::test]
async fn requests_of_friends_are_said_in_words() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    let id = bob.id.parse::<i64>().unwrap() - 100_000_000;
    alee.ok("subscribe", json!({"to": id, "message": "<b>it's me</b>"})).await;
    bob.hears("[請求加為好友] it's me").await;
}

#[tokio::test]
async fn whoever_hides_or_blocks_is_away_for_mumichat() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    let bob_id = bob.id.parse::<i64>().unwrap() - 100_000_000;
    let is_login = |users: Vec<Value>| users[0]["isLogin"].clone();

    alee.ok("presence", json!({"presence": "隐身"})).await;
    assert_eq!(is_login(bob.find(json!({"username": "alee"})).await), false);
    // It arrives all the same.
    assert_eq!(bob.say(&wire_id(alee.id), "boo").await, 10008);
    alee.hears("boo").await;

    alee.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(is_login(bob.find(json!({"username": "alee"})).await), true);
    alee.ok("block", json!({"user": bob_id})).await;
    assert_eq!(is_login(bob.find(json!({"username": "alee"})).await), false);
    assert_eq!(bob.say(&wire_id(alee.id), "unheard").await, 10008);
    alee.ok("unblock", json!({"user": bob_id})).await;
    assert_eq!(bob.say(&wire_id(alee.id), "heard").await, 201);
    alee.hears("heard").await;
    // A broadcast does not reach those who have blocked its sender.
    let mut mumi = server.mumi().await;
    assert_eq!(mumi.code("login", json!({"email": "alee", "password": PASSWORD})).await, 202);
    // One takes part from the reply to the next request on.
    mumi.heard_nothing().await;
    assert_eq!(bob.broadcast("to all").await, 204);
    mumi.hears("to all").await;
    alee.ok("block", json!({"user": bob_id})).await;
    assert_eq!(bob.broadcast("to all but alee").await, 204);
    mumi.heard_nothing().await;
}

/// The login on one wire neither hinders nor ends one on another.
#[tokio::test]
async fn one_may_be_on_two_wires_at_once() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut mumi = server.mumi().await;
    assert_eq!(mumi.code("login", json!({"email": "bob", "password": PASSWORD})).await, 202);
    let mut other = server.device("bob").await;
    alee.say(bob.id, "to all").await;
    bob.hears("to all").await;
    other.hears("to all").await;
    mumi.hears("to all").await;
    // One sign-in on MumiChat makes no session to sign in with a token.
    let sessions = other.ok("sessions", json!({})).await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
}
