//! `room.members`, `room.profile`, `room.admin`, `room.mute`, `room.kick`, `room.delete`, `room.invite`.

use serde_json::{Value, json};

use crate::support::{Client, Form, Server, each, texts, until};

/// A room that alee made, with bob, whose client is modern as well, and carol, who has an old one; eve is not in it.
struct Tea {
    server: Server,
    alee: Client,
    bob: Client,
    carol: Client,
    eve: Client,
    room: i64,
}

async fn tea() -> Tea {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let (mut carol, eve) = (server.person("carol").await, server.person("eve").await);
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.next("room.join").await;
    carol.join(room).await;
    alee.next("room.join").await;
    bob.next("room.join").await;
    Tea { server, alee, bob, carol, eve, room }
}

impl Tea {
    fn doc(&self) -> Value {
        json!({"id": self.room, "name": "tea", "intro": "", "creator": self.alee.id})
    }

    async fn make_admin(&mut self, user: i64) {
        self.alee.ok("room.admin", json!({"room": self.room, "user": user, "on": true})).await;
        self.alee.next("room.member").await;
        self.bob.next("room.member").await;
    }

    /// Nobody has heard of anything.
    async fn all_quiet(&mut self) {
        self.alee.noticed_nothing(&mut self.eve).await;
        self.bob.noticed_nothing(&mut self.eve).await;
        self.carol.heard_nothing(&mut self.eve).await;
    }
}

fn person(client: &Client, presence: &str) -> Value {
    json!({"id": client.id, "username": client.username, "presence": presence})
}

#[tokio::test]
async fn nobody_who_is_not_signed_in_may_do_any_of_it() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    for command in [
        "room.members",
        "room.profile",
        "room.invite",
        "room.admin",
        "room.mute",
        "room.kick",
        "room.delete",
        "requests",
        "block",
        "unblock",
        "blocks",
        "users",
    ] {
        let reply = client.ack(command, json!({})).await;
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(403), &json!("not_signed_in")), "{command}");
    }
}

#[tokio::test]
async fn rooms_and_people_must_be_named_and_there() {
    let Tea { server: _server, mut alee, bob, eve, room, .. } = tea().await;
    let complete = json!({"user": bob.id, "users": [], "on": true, "minutes": 1, "name": "x"});
    for command in
        ["room.members", "room.profile", "room.invite", "room.admin", "room.mute", "room.kick", "room.delete"]
    {
        for (named, code) in [
            (json!(null), 400),
            (json!(""), 400),
            (json!(4711), 404),
            (json!("abc"), 404),
            (json!(0), 404),
            (json!(-1), 404),
            (json!(1.5), 404),
            (json!({"$gt": 0}), 404),
            (json!([room]), 404),
        ] {
            let mut payload = complete.clone();
            payload["room"] = named;
            assert_eq!(alee.code(command, payload.clone()).await, code, "{command} {payload}");
        }
    }
    for command in ["room.admin", "room.mute", "room.kick"] {
        for (user, code) in [
            (json!(null), 400),
            (json!(""), 400),
            (json!(4711), 404),
            (json!("abc"), 404),
            (json!(-1), 404),
            (json!({"$gt": 0}), 404),
            (json!(eve.id), 404),
        ] {
            let payload = json!({"room": room, "user": user, "on": true, "minutes": 1});
            assert_eq!(alee.code(command, payload.clone()).await, code, "{command} {payload}");
        }
    }
    for on in [json!(null), json!({}), json!([])] {
        assert_eq!(alee.code("room.admin", json!({"room": room, "user": bob.id, "on": on})).await, 400);
    }
    for minutes in [json!(null), json!(-1), json!(525_601), json!("x"), json!({}), json!(true)] {
        let payload = json!({"room": room, "user": bob.id, "minutes": minutes});
        assert_eq!(alee.code("room.mute", payload.clone()).await, 400, "{payload}");
    }
}

#[tokio::test]
async fn members_are_listed_by_role_for_members() {
    let mut tea = tea().await;
    tea.make_admin(tea.carol.id).await;
    tea.alee.ok("room.mute", json!({"room": tea.room, "user": tea.bob.id, "minutes": 5})).await;
    let until = tea.alee.next("room.member").await["mutedUntil"].clone();
    tea.carol.ok("presence", json!({"presence": "隐身"})).await;
    let reply = tea.bob.ok("room.members", json!({"room": tea.room})).await;
    let expected = json!({"code": 200, "members": [
        {"user": person(&tea.alee, "在线"), "role": "creator"},
        {"user": person(&tea.carol, "离线"), "role": "admin"},
        {"user": person(&tea.bob, "在线"), "role": "member", "mutedUntil": until},
    ]});
    assert_eq!(reply, expected);
    assert_eq!(
        tea.carol.ok("room.members", json!({"room": tea.room.to_string()})).await["members"][0]["role"],
        "creator"
    );
    let refused = tea.eve.ack("room.members", json!({"room": tea.room})).await;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!(404), &json!("not_a_member")));
    tea.bob.ok("room.leave", json!({"id": tea.room})).await;
    assert_eq!(tea.bob.code("room.members", json!({"room": tea.room})).await, 404);
}

#[tokio::test]
async fn a_profile_is_changed_by_those_above_and_told_to_all() {
    let mut tea = tea().await;
    let change = json!({"room": tea.room, "name": "茶馆"});
    assert_eq!(tea.bob.code("room.profile", change.clone()).await, 403);
    assert_eq!(tea.carol.code("room.profile", change.clone()).await, 403);
    assert_eq!(tea.eve.code("room.profile", change.clone()).await, 404);
    tea.all_quiet().await;

    assert_eq!(tea.alee.ok("room.profile", change.clone()).await, json!({"code": 200}));
    let mut doc = tea.doc();
    doc["name"] = json!("茶馆");
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.changed").await, json!({"room": doc}));
    }
    // It is so already.
    tea.alee.ok("room.profile", change).await;
    tea.all_quiet().await;

    tea.make_admin(tea.carol.id).await;
    let intro = json!({"room": tea.room, "intro": "<b>hot</b><script>x</script>"});
    tea.carol.ok("room.profile", intro).await;
    doc["intro"] = json!("<b>hot</b>");
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.changed").await, json!({"room": doc}));
    }
    tea.carol.ok("room.profile", json!({"room": tea.room, "intro": ""})).await;
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.changed").await["room"]["intro"], "");
    }
    // From now on the new name is the name, everywhere.
    tea.bob.ok("room.message", json!({"room": tea.room, "message": "hi"})).await;
    assert_eq!(tea.carol.hears("hi").await["name"], "茶馆");
    assert_eq!(tea.alee.next("message").await["info"]["name"], "茶馆");
    let list = tea.bob.ok("conversations", json!({"room": tea.room})).await;
    assert_eq!(list["conversations"][0]["info"]["name"], "茶馆");
    tea.carol.ok("signout", json!({})).await;
    assert_eq!(tea.carol.sign_in().await["rooms"][0]["name"], "茶馆");
}

#[tokio::test]
async fn a_profile_that_cannot_be_is_refused_whole() {
    let mut tea = tea().await;
    for bad in [
        json!({}),
        json!({"name": null}),
        json!({"name": ""}),
        json!({"name": " "}),
        json!({"name": "a<b"}),
        json!({"name": "字".repeat(65)}),
        json!({"name": {"$set": 1}}),
        json!({"intro": "字".repeat(513), "name": "fine"}),
        json!({"intro": ["x"], "name": "fine"}),
        json!({"avatar": 5.5e300, "intro": true}),
    ] {
        let mut payload = bad;
        payload["room"] = json!(tea.room);
        assert_eq!(tea.alee.code("room.profile", payload.clone()).await, 400, "{payload}");
    }
    for avatar in [
        "x1.png",
        "https://example.org/x.png",
        "javascript:alert(1)",
        "/public/files/nodeim-server/",
        "/public/files/nodeim-server/nobodys.png",
        "/public/files/nodeim-server/a\u{0}b",
        "/public/files/nodeim-server/../secret",
    ] {
        let reply = tea.alee.ack("room.profile", json!({"room": tea.room, "name": "fine", "avatar": avatar})).await;
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(404), &json!("no_such_file")), "{avatar}");
    }
    tea.all_quiet().await;
    tea.carol.ok("signout", json!({})).await;
    assert_eq!(tea.carol.sign_in().await["rooms"], json!([tea.doc()]));
}

#[tokio::test]
async fn a_picture_is_an_uploaded_file_that_the_room_uses() {
    let mut tea = tea().await;
    let mut urls = Vec::new();
    for name in ["x1.txt", "x2.txt"] {
        let card = tea.server.upload(&tea.alee, Form::file(name, "x")).await;
        urls.push(card["url"].as_str().unwrap().to_owned());
    }
    let uses = "select count(*) from file_uses where kind = 'room'";
    for url in &urls {
        tea.alee.ok("room.profile", json!({"room": tea.room, "avatar": url})).await;
        for client in [&mut tea.alee, &mut tea.bob] {
            assert_eq!(client.next("room.changed").await["room"]["avatar"], *url);
        }
        let name = url.rsplit('/').next().unwrap().strip_suffix(".txt").unwrap();
        let of_this = format!("{uses} and used_by = {} and name = '{name}'", tea.room);
        assert_eq!(tea.server.database.number(&of_this).await, 1);
        assert_eq!(tea.server.database.number(uses).await, 1);
    }
    tea.alee.ok("room.profile", json!({"room": tea.room, "avatar": ""})).await;
    let told = json!({"room": tea.doc()});
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.changed").await, told);
    }
    assert_eq!(tea.server.database.number(uses).await, 0);
}

#[tokio::test]
async fn the_creator_makes_admins_and_they_last_as_long_as_their_stay() {
    let mut tea = tea().await;
    let admin = json!({"room": tea.room, "user": tea.carol.id, "on": true});
    for client in [&mut tea.bob, &mut tea.carol] {
        assert_eq!(client.code("room.admin", admin.clone()).await, 403);
    }
    assert_eq!(tea.eve.code("room.admin", admin.clone()).await, 404);
    let oneself = json!({"room": tea.room, "user": tea.alee.id, "on": false});
    assert_eq!(tea.alee.code("room.admin", oneself).await, 403);
    tea.all_quiet().await;

    tea.alee.ok("room.admin", admin.clone()).await;
    let told = json!({"room": tea.doc(), "user": person(&tea.carol, "在线"), "role": "admin"});
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.member").await, told);
    }
    tea.alee.ok("room.admin", admin.clone()).await;
    // An admin makes no admins.
    let other = json!({"room": tea.room, "user": tea.bob.id, "on": true});
    assert_eq!(tea.carol.code("room.admin", other).await, 403);
    tea.all_quiet().await;

    let no_admin = json!({"room": tea.room, "user": tea.carol.id, "on": false});
    tea.alee.ok("room.admin", no_admin).await;
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.member").await["role"], "member");
    }
    tea.alee.ok("room.admin", admin).await;
    tea.carol.ok("room.leave", json!({"id": tea.room})).await;
    tea.carol.join(tea.room).await;
    tea.alee.ok("room.leave", json!({"id": tea.room})).await;
    assert_eq!(tea.alee.code("room.delete", json!({"room": tea.room})).await, 404, "not in it");
    tea.alee.ok("room.join", json!({"id": tea.room})).await;
    let members = tea.carol.ok("room.members", json!({"room": tea.room})).await;
    assert_eq!(each(&members["members"], "role"), ["creator", "member", "member"]);
}

/// Who may silence or remove whom. Nobody oneself, nobody the creator, an admin no other one.
#[tokio::test]
async fn those_above_rule_over_those_below() {
    for command in ["room.mute", "room.kick"] {
        let mut tea = tea().await;
        let mut dave = tea.server.modern("dave").await;
        dave.join(tea.room).await;
        tea.alee.next("room.join").await;
        tea.bob.next("room.join").await;
        tea.carol.next("room.join").await;
        tea.make_admin(tea.bob.id).await;
        dave.next("room.member").await;
        tea.make_admin(tea.carol.id).await;
        dave.next("room.member").await;
        let on = |user: i64| json!({"room": tea.room, "user": user, "minutes": 1});
        let (alee, bob, carol) = (on(tea.alee.id), on(tea.bob.id), on(tea.carol.id));
        for (who, payload) in
            [("dave", &bob), ("dave", &alee), ("bob", &alee), ("bob", &carol), ("bob", &bob), ("alee", &alee)]
        {
            let client = match who {
                "dave" => &mut dave,
                "bob" => &mut tea.bob,
                _ => &mut tea.alee,
            };
            let reply = client.ack(command, payload.clone()).await;
            assert_eq!((&reply["code"], &reply["reason"]), (&json!(403), &json!("not_allowed")), "{command} {who}");
        }
        assert_eq!(tea.eve.code(command, bob).await, 404);
        let oneself = on(dave.id);
        assert_eq!(dave.code(command, oneself.clone()).await, 403);
        tea.all_quiet().await;
        tea.bob.ok(command, oneself).await;
        tea.alee.ok(command, carol).await;
    }
}

#[tokio::test]
async fn who_is_muted_cannot_speak_whatever_they_do() {
    let mut tea = tea().await;
    let hi = json!({"room": tea.room, "message": "hi", "cid": "c1"});
    tea.bob.ok("room.message", hi).await;
    for client in [&mut tea.alee, &mut tea.bob] {
        client.next_message().await;
    }
    tea.carol.hears("hi").await;
    for user in [tea.bob.id, tea.carol.id] {
        tea.alee.ok("room.mute", json!({"room": tea.room, "user": user, "minutes": 1})).await;
    }
    let user = person(&tea.bob, "在线");
    for client in [&mut tea.alee, &mut tea.bob] {
        let told = client.next("room.member").await;
        assert_eq!((&told["user"], &told["role"]), (&user, &json!("member")));
        assert!(told["mutedUntil"].as_i64().is_some_and(|until| until > 1_000_000_000_000), "{told}");
        client.next("room.member").await;
    }
    let message = json!({"room": tea.room, "message": "x"});
    for client in [&mut tea.bob, &mut tea.carol] {
        let refused = client.ack("room.message", message.clone()).await;
        assert_eq!((&refused["code"], &refused["reason"]), (&json!(403), &json!("muted")));
        client.ok("room.leave", json!({"id": tea.room})).await;
        client.ok("room.join", json!({"id": tea.room})).await;
        assert_eq!(client.code("room.message", message.clone()).await, 403, "also after coming back");
    }
    // Another text is something said; taking it back is not.
    assert_eq!(tea.bob.code("edit", json!({"room": tea.room, "seq": 1, "message": "x"})).await, 403);
    tea.bob.ok("recall", json!({"room": tea.room, "seq": 1})).await;
    assert_eq!(tea.bob.code("room.mute", json!({"room": tea.room, "user": tea.bob.id, "minutes": 0})).await, 403);
    tea.alee.ok("room.message", message.clone()).await;

    tea.alee.ok("room.mute", json!({"room": tea.room, "user": tea.bob.id, "minutes": 0})).await;
    tea.bob.ok("room.message", message.clone()).await;
    // A mute that does not end is not lost either, and one that is over is over.
    let Tea { server, room, alee: _alee, bob: _bob, carol: _carol, .. } = tea;
    server
        .database
        .execute("insert into room_mutes (room_id, user_id, until_ms) select room_id, 2, 1 from room_mutes")
        .await;
    let server = server.restart().await;
    let mut carol = server.device("carol").await;
    assert_eq!(carol.code("room.message", message.clone()).await, 403);
    let mut bob = server.newcomer("bob").await;
    bob.sign_in().await;
    bob.ok("room.message", message).await;
    assert_eq!(bob.ok("room.members", json!({"room": room})).await["members"][1].get("mutedUntil"), None);
}

#[tokio::test]
async fn ending_a_mute_is_told_and_no_mute_at_all_is_not() {
    let mut tea = tea().await;
    let unmute = json!({"room": tea.room, "user": tea.carol.id, "minutes": 0});
    tea.alee.ok("room.mute", unmute.clone()).await;
    tea.all_quiet().await;
    tea.alee.ok("room.mute", json!({"room": tea.room, "user": tea.carol.id, "minutes": "525600"})).await;
    tea.alee.ok("room.mute", unmute).await;
    let told = json!({"room": tea.doc(), "user": person(&tea.carol, "在线"), "role": "member"});
    for client in [&mut tea.alee, &mut tea.bob] {
        assert!(client.next("room.member").await["mutedUntil"].is_number());
        assert_eq!(client.next("room.member").await, told);
    }
    tea.all_quiet().await;
}

#[tokio::test]
async fn who_is_kicked_hears_of_it_like_all_and_of_nothing_after_it() {
    let mut tea = tea().await;
    let mut phone = tea.server.modern_device(&tea.carol).await;
    let kick = json!({"room": tea.room, "user": tea.carol.id});
    assert_eq!(tea.alee.ok("room.kick", kick.clone()).await, json!({"code": 200}));
    let told = json!({"room": tea.doc(), "user": person(&tea.carol, "在线"), "by": tea.alee.id});
    for client in [&mut tea.alee, &mut tea.bob, &mut phone] {
        assert_eq!(client.next("room.leave").await, told);
    }
    assert_eq!(tea.carol.next("room.leave").await, json!({"room": told["room"], "user": told["user"]}));
    assert_eq!(tea.alee.code("room.kick", kick).await, 404, "not in it any more");
    tea.bob.ok("room.message", json!({"room": tea.room, "message": "gone"})).await;
    phone.noticed_nothing(&mut tea.eve).await;
    tea.carol.hears("marker").await;
    for command in ["room.message", "room.members"] {
        assert_eq!(tea.carol.code(command, json!({"room": tea.room, "message": "x"})).await, 404);
    }
    tea.carol.ok("room.join", json!({"id": tea.room})).await;
    assert_eq!(tea.carol.next("room.join").await["newbie"], true);
    tea.carol.ok("room.message", json!({"room": tea.room, "message": "back"})).await;
    tea.carol.hears("back").await;
}

#[tokio::test]
async fn who_is_kicked_while_away_gets_what_was_said_before() {
    let mut tea = tea().await;
    tea.carol.ok("signout", json!({})).await;
    for text in ["one", "two"] {
        tea.alee.ok("room.message", json!({"room": tea.room, "message": text})).await;
    }
    tea.alee.ok("room.kick", json!({"room": tea.room, "user": tea.carol.id})).await;
    tea.alee.ok("room.message", json!({"room": tea.room, "message": "behind your back"})).await;
    tea.eve.ok("message", json!({"to": tea.carol.id, "message": "hi"})).await;
    assert_eq!(tea.carol.sign_in().await["rooms"], json!([]));
    for text in ["one", "two", "hi"] {
        tea.carol.hears(text).await;
    }
    tea.carol.heard_nothing(&mut tea.eve).await;
    // Once. And who comes back gets what is said in the new stay, and nothing from in between.
    tea.carol.ok("signout", json!({})).await;
    tea.carol.sign_in().await;
    tea.carol.heard_nothing(&mut tea.eve).await;
    tea.carol.ok("room.join", json!({"id": tea.room})).await;
    tea.carol.next("room.join").await;
    tea.carol.ok("signout", json!({})).await;
    tea.alee.ok("room.message", json!({"room": tea.room, "message": "three"})).await;
    tea.carol.sign_in().await;
    tea.carol.next("room.join").await;
    tea.carol.hears("three").await;
    tea.carol.heard_nothing(&mut tea.eve).await;
    let page = tea.carol.ok("history", json!({"room": tea.room})).await;
    assert_eq!(texts(&page["messages"]), ["three", "two", "one"]);
}

/// Somebody who left with something undelivered, came back, and was away again.
#[tokio::test]
async fn what_was_missed_in_several_stays_comes_and_nothing_from_between_them() {
    let mut tea = tea().await;
    tea.carol.ok("signout", json!({})).await;
    for round in 0..3 {
        for n in 0..3 {
            tea.alee.ok("room.message", json!({"room": tea.room, "message": format!("{round}.{n}")})).await;
        }
        tea.alee.ok("room.kick", json!({"room": tea.room, "user": tea.carol.id})).await;
        tea.alee.ok("room.message", json!({"room": tea.room, "message": "between"})).await;
        // She comes back without being given anything, as from a device whose connection breaks at once.
        tea.server
            .database
            .execute(&format!(
                "insert into stays (conversation_id, user_id, since_seq, delivered_seq, read_seq)
                 select c.id, {}, c.last_seq, c.last_seq, c.last_seq
                 from rooms r join conversations c on c.id = r.conversation_id where r.id = {}",
                tea.carol.id, tea.room
            ))
            .await;
    }
    tea.alee.ok("room.message", json!({"room": tea.room, "message": "last"})).await;
    tea.carol.sign_in().await;
    tea.carol.next("room.join").await;
    let mut heard = Vec::new();
    while heard.last() != Some(&json!("last")) {
        heard.push(tea.carol.next("message").await["message"].take());
    }
    assert_eq!(heard, ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "last"]);
    tea.carol.heard_nothing(&mut tea.eve).await;
}

#[tokio::test]
async fn a_deleted_room_is_gone_for_everybody() {
    let mut tea = tea().await;
    tea.make_admin(tea.bob.id).await;
    let room = json!({"room": tea.room, "id": tea.room, "user": tea.bob.id, "users": [], "on": true, "minutes": 1});
    for client in [&mut tea.bob, &mut tea.carol] {
        assert_eq!(client.code("room.delete", room.clone()).await, 403);
    }
    assert_eq!(tea.eve.code("room.delete", room.clone()).await, 404);
    tea.carol.ok("room.message", json!({"room": tea.room, "message": "darjeeling"})).await;
    tea.carol.hears("darjeeling").await;
    for client in [&mut tea.alee, &mut tea.bob] {
        client.next_message().await;
    }
    until("the message is found", async || {
        !tea.bob.ok("search", json!({"text": "darjeeling"})).await["messages"].as_array().unwrap().is_empty()
    })
    .await;
    let mut dave = tea.server.person("dave").await;
    dave.join(tea.room).await;
    for client in [&mut tea.alee, &mut tea.bob, &mut tea.carol] {
        client.next("room.join").await;
    }
    dave.ok("signout", json!({})).await;
    tea.alee.ok("room.message", json!({"room": tea.room, "message": "missed"})).await;
    for client in [&mut tea.alee, &mut tea.bob] {
        client.next_message().await;
    }
    tea.carol.hears("missed").await;

    assert_eq!(tea.alee.ok("room.delete", room.clone()).await, json!({"code": 200}));
    let told = json!({"room": tea.doc()});
    for client in [&mut tea.alee, &mut tea.bob] {
        assert_eq!(client.next("room.deleted").await, told);
    }
    for client in [&mut tea.alee, &mut tea.bob, &mut tea.carol] {
        for command in [
            "room.delete",
            "room.members",
            "room.invite",
            "room.admin",
            "room.mute",
            "room.kick",
            "room.join",
            "room.leave",
            "room.list",
            "history",
            "read",
            "typing",
            "mute",
            "edit",
            "recall",
            "conversations",
        ] {
            let mut payload = room.clone();
            payload["seq"] = json!(1);
            payload["message"] = json!("x");
            assert_eq!(client.code(command, payload).await, 404, "{command}");
        }
        let (profile, message) = (json!({"room": tea.room, "name": "x"}), json!({"room": tea.room, "message": "x"}));
        assert_eq!(client.code("room.profile", profile).await, 404);
        assert_eq!(client.code("room.message", message).await, 404);
        assert_eq!(client.ok("log", json!({"room": tea.room})).await["docs"], json!([]));
        let log = client.ok("log", json!({})).await;
        assert!(log["docs"].as_array().unwrap().iter().all(|doc| doc.get("room").is_none()), "{log}");
        assert_eq!(client.ok("search", json!({"text": "darjeeling"})).await["messages"], json!([]));
        assert_eq!(client.ok("conversations", json!({})).await["conversations"], json!([]));
        let marks = json!({"marks": [{"room": tea.room, "seq": 0}]});
        assert_eq!(client.ok("resume", marks).await["conversations"], json!([]));
    }
    tea.all_quiet().await;
    // Who was away finds nothing of it.
    assert_eq!(dave.sign_in().await["rooms"], json!([]));
    dave.heard_nothing(&mut tea.eve).await;
    assert!(dave.room("another").await > tea.room);
    assert_eq!(tea.server.database.number("select count(*) from room_mutes").await, 0);
}

#[tokio::test]
async fn a_room_that_is_deleted_while_people_talk_and_come_and_go() {
    let mut tea = tea().await;
    let mut dave = tea.server.person("dave").await;
    let message = json!({"room": tea.room, "message": "x"});
    let delete = json!({"room": tea.room});
    let talk = async { while tea.carol.code("room.message", message.clone()).await == 200 {} };
    let enter = async {
        while dave.code("room.join", json!({"id": tea.room})).await == 200 {
            dave.code("room.leave", json!({"id": tea.room})).await;
        }
    };
    tokio::join!(talk, enter, tea.alee.ok("room.delete", delete));
    assert_eq!(dave.ok("conversations", json!({})).await["conversations"], json!([]));
    assert_eq!(tea.server.database.number("select count(*) from stays where user_id = 5").await, 0);
}

#[tokio::test]
async fn invitations_go_to_those_who_can_be_invited() {
    let mut tea = tea().await;
    let mut dave = tea.server.modern("dave").await;
    let mut frank = tea.server.modern("frank").await;
    frank.ok("block", json!({"user": tea.bob.id})).await;
    frank.next("friends").await;
    let users = json!([
        dave.id, tea.eve.id.to_string(), dave.id, tea.alee.id, tea.bob.id, frank.id, 4711, "abc", null, 0, {"$gt": 0}
    ]);
    let reply = tea.bob.ok("room.invite", json!({"room": tea.room, "users": users})).await;
    assert_eq!(reply, json!({"code": 200, "invited": [dave.id, tea.eve.id]}));
    let event = dave.next("message").await;
    let message = &event["message"];
    assert_eq!(event["user"], person(&tea.bob, "在线"));
    assert_eq!(
        (&message["type"], &message["format"], &message["text"]),
        (&json!("invitation"), &json!("plain"), &json!(""))
    );
    assert_eq!(message["card"], json!({"room": tea.room, "name": "tea"}));
    assert_eq!((&message["from"], &message["to"]), (&json!(tea.bob.id), &json!(dave.id)));
    // Clients of 2013 have no word for it, but their users can read.
    assert_eq!(tea.eve.next("message").await["message"], format!("邀请你加入房间 tea（{}）", tea.room));
    // One's own devices hear what one has sent.
    for to in [dave.id, tea.eve.id] {
        assert_eq!(tea.bob.next_message().await["to"], to);
    }
    frank.noticed_nothing(&mut tea.eve).await;
    tea.all_quiet().await;
    // It can be said again.
    let again = tea.bob.ok("room.invite", json!({"room": tea.room, "users": [dave.id]})).await;
    assert_eq!(again["invited"], json!([dave.id]));
}

#[tokio::test]
async fn an_invitation_needs_a_member_and_a_list() {
    let mut tea = tea().await;
    for users in [json!(null), json!("2"), json!({}), json!(2), json!(vec![4711; 51])] {
        assert_eq!(tea.bob.code("room.invite", json!({"room": tea.room, "users": users})).await, 400);
    }
    let nobody = tea.bob.ok("room.invite", json!({"room": tea.room, "users": vec![4711; 50]})).await;
    assert_eq!(nobody["invited"], json!([]));
    assert_eq!(tea.bob.ok("room.invite", json!({"room": tea.room, "users": []})).await["invited"], json!([]));
    let outside = json!({"room": tea.room, "users": [tea.bob.id]});
    assert_eq!(tea.eve.code("room.invite", outside).await, 404);
    tea.all_quiet().await;
}
