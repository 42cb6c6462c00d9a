//! `room.create`, `room.join`, `room.leave`, `room.list`, `room.message`.

use serde_json::{Value, json};

use crate::support::{Client, Server, each, keys};

/// Two people in a room that the first one made.
async fn two_in_a_room() -> (Server, Client, Client, i64) {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.next("room.join").await;
    (server, alee, bob, room)
}

fn person(client: &Client) -> Value {
    json!({"id": client.id, "username": client.username, "presence": "在线"})
}

#[tokio::test]
async fn create_answers_in_both_shapes() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let reply = alee.ok("room.create", json!({"name": "tea", "intro": "hot"})).await;
    let id = reply["room"]["id"].as_i64().unwrap();
    assert!(id >= 1);
    let doc = json!({"id": id, "name": "tea", "intro": "hot", "creator": alee.id});
    let mut room = doc.clone();
    room["users"] = json!({alee.id.to_string(): person(&alee)});
    room["_roomdoc"] = doc.clone();
    assert_eq!(reply, json!({"code": 200, "room": room}));
    // The creator is in it and hears of it.
    let joined = alee.next("room.join").await;
    assert_eq!(joined, json!({"room": doc, "user": person(&alee), "newbie": true}));
}

#[tokio::test]
async fn create_without_intro_has_an_empty_one() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for intro in [json!(null), json!(""), json!({"$gt": ""})] {
        let reply = alee.ok("room.create", json!({"name": "tea", "intro": intro})).await;
        assert_eq!(reply["room"]["_roomdoc"]["intro"], "");
    }
}

#[tokio::test]
async fn create_needs_a_name_that_fits() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for payload in [
        json!({}),
        json!({"name": ""}),
        json!({"name": null}),
        json!({"name": {"$gt": ""}}),
        json!({"name": ["tea"]}),
        json!({"name": " "}),
        json!({"name": "<b>"}),
        json!({"name": "o'clock"}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "字".repeat(65)}),
        json!({"name": "tea", "intro": "字".repeat(513)}),
    ] {
        assert_eq!(alee.code("room.create", payload.clone()).await, 404, "{payload}");
    }
    let full = json!({"name": "字".repeat(64), "intro": "字".repeat(512)});
    let reply = alee.ok("room.create", full.clone()).await;
    assert_eq!((&reply["room"]["name"], &reply["room"]["intro"]), (&full["name"], &full["intro"]));
}

#[tokio::test]
async fn names_of_rooms_need_not_differ() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    assert_ne!(alee.room("tea").await, alee.room("tea").await);
}

#[tokio::test]
async fn joining_is_told_to_all_members_and_the_newcomer() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    let room = alee.room("tea").await;
    let doc = json!({"id": room, "name": "tea", "intro": "", "creator": alee.id});
    assert_eq!(bob.ok("room.join", json!({"id": room.to_string()})).await, json!({"code": 200}));
    let joined = json!({"room": doc, "user": person(&bob), "newbie": true});
    assert_eq!(bob.next("room.join").await, joined);
    assert_eq!(alee.next("room.join").await, joined);
    // Who is in already joins once more: announced, but no newbie.
    bob.ok("room.join", json!({"room": room})).await;
    let again = json!({"room": doc, "user": person(&bob), "newbie": false});
    assert_eq!(bob.next("room.join").await, again);
    assert_eq!(alee.next("room.join").await, again);
    carol.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn leaving_is_told_to_those_who_remain() {
    let (server, mut alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    assert_eq!(bob.ok("room.leave", json!({"id": room.to_string()})).await, json!({"code": 200}));
    let left = alee.next("room.leave").await;
    let doc = json!({"id": room, "name": "tea", "intro": "", "creator": alee.id});
    assert_eq!(left, json!({"room": doc, "user": person(&bob)}));
    // Who is not in it may leave as well, and nobody is told.
    bob.ok("room.leave", json!({"room": room})).await;
    carol.ok("room.leave", json!({"id": room})).await;
    bob.heard_nothing(&mut alee).await;
    alee.heard_nothing(&mut bob).await;
    assert_eq!(each(&alee.ok("room.list", json!({"id": room})).await["onlines"], "id"), [alee.id]);
}

#[tokio::test]
async fn who_left_and_comes_back_is_a_newbie_again() {
    let (_server, mut alee, mut bob, room) = two_in_a_room().await;
    bob.ok("room.leave", json!({"id": room})).await;
    alee.next("room.leave").await;
    bob.ok("room.join", json!({"id": room})).await;
    assert_eq!(alee.next("room.join").await["newbie"], true);
    assert_eq!(bob.next("room.join").await["newbie"], true);
}

#[tokio::test]
async fn a_room_without_members_may_be_entered_again() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    alee.ok("room.leave", json!({"id": room})).await;
    assert_eq!(alee.code("room.list", json!({"id": room})).await, 404);
    alee.join(room).await;
    alee.ok("room.message", json!({"room": room, "message": "echo"})).await;
    alee.hears("echo").await;
}

#[tokio::test]
async fn the_list_tells_who_is_here_and_who_is_not() {
    let (server, mut alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    carol.join(room).await;
    for client in [&mut alee, &mut bob] {
        client.next("room.join").await;
    }
    let reply = alee.ok("room.list", json!({"id": room})).await;
    assert_eq!(keys(&reply), ["code", "offlines", "onlines"]);
    assert_eq!(reply["onlines"], json!([person(&alee), person(&bob), person(&carol)]));
    assert_eq!(reply["offlines"], json!([]));

    carol.ok("signout", json!({})).await;
    bob.ok("presence", json!({"presence": "隐身"})).await;
    let reply = alee.ok("room.list", json!({"room": room.to_string()})).await;
    assert_eq!(each(&reply["onlines"], "id"), [alee.id]);
    let away = |client: &Client| json!({"id": client.id, "username": client.username, "presence": "离线"});
    assert_eq!(reply["offlines"], json!([away(&bob), away(&carol)]));
    // What somebody else calls themselves is passed on.
    bob.ok("presence", json!({"presence": "忙碌"})).await;
    let reply = alee.ok("room.list", json!({"id": room})).await;
    assert_eq!(each(&reply["onlines"], "presence"), ["在线", "忙碌"]);
}

#[tokio::test]
async fn the_list_is_for_members() {
    let (server, _alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    assert_eq!(carol.code("room.list", json!({"id": room})).await, 404);
    bob.ok("room.leave", json!({"id": room})).await;
    assert_eq!(bob.code("room.list", json!({"id": room})).await, 404);
}

#[tokio::test]
async fn a_room_message_goes_to_every_member_and_back_to_its_sender() {
    let (server, mut alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    let payload = json!({"room": room, "message": "<b>hi</b>", "time": 1_371_110_400_000_i64});
    assert_eq!(alee.ok("room.message", payload).await, json!({"code": 200}));
    let from = person(&alee);
    for client in [&mut alee, &mut bob] {
        let message = client.next("message").await;
        let expected = json!({
            "from": from, "to": client.id, "message": "<b>hi</b>", "time": 1_371_110_400_000_i64, "room": room,
            "name": "tea", "readed": 0, "_id": message["_id"]
        });
        assert_eq!(message, expected);
    }
    carol.heard_nothing(&mut bob).await;
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn room_messages_name_the_room_by_room_or_else_by_id() {
    let (_server, mut alee, _bob, room) = two_in_a_room().await;
    let other = alee.room("other").await;
    for (payload, expected) in [
        (json!({"room": room}), room),
        (json!({"room": room.to_string()}), room),
        (json!({"id": room}), room),
        (json!({"id": room.to_string()}), room),
        (json!({"room": room, "id": other}), room),
        (json!({"room": null, "id": other}), other),
        (json!({"room": "", "id": other}), other),
    ] {
        let mut payload = payload;
        payload["message"] = json!("x");
        alee.ok("room.message", payload.clone()).await;
        assert_eq!(alee.hears("x").await["room"], expected, "{payload}");
    }
}

#[tokio::test]
async fn a_room_message_needs_a_room_a_text_and_membership() {
    let (server, mut alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    for payload in [
        json!({}),
        json!({"room": room}),
        json!({"room": room, "message": ""}),
        json!({"room": room, "message": null}),
        json!({"room": room, "message": {"$gt": ""}}),
        json!({"message": "x"}),
        json!({"room": 4711, "message": "x"}),
        json!({"room": "abc", "message": "x"}),
        json!({"room": 0, "message": "x"}),
        json!({"room": -1, "message": "x"}),
        json!({"room": {"$gt": 0}, "message": "x"}),
        // A room that cannot be is not made good by an id that can.
        json!({"room": "abc", "id": room, "message": "x"}),
    ] {
        assert_eq!(alee.code("room.message", payload.clone()).await, 404, "{payload}");
    }
    let outside = json!({"room": room, "message": "x"});
    assert_eq!(carol.code("room.message", outside.clone()).await, 404);
    bob.ok("room.leave", json!({"id": room})).await;
    assert_eq!(bob.code("room.message", outside).await, 404);
    alee.next("room.leave").await;
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn commands_on_a_room_need_one_that_exists() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    for command in ["room.join", "room.leave", "room.list"] {
        for payload in [
            json!({}),
            json!({"id": null}),
            json!({"id": ""}),
            json!({"id": 4711}),
            json!({"id": "4711"}),
            json!({"room": 4711}),
            json!({"id": "abc"}),
            json!({"id": 0}),
            json!({"id": -1}),
            json!({"id": 1.5}),
            json!({"id": 1e300}),
            json!({"id": {"$gt": 0}}),
            json!({"id": [room]}),
            json!({"id": true}),
        ] {
            assert_eq!(alee.code(command, payload.clone()).await, 404, "{command} {payload}");
        }
    }
}

#[tokio::test]
async fn members_who_are_away_get_what_was_said_and_nobody_else_does() {
    let (server, mut alee, mut bob, room) = two_in_a_room().await;
    let mut carol = server.person("carol").await;
    bob.ok("signout", json!({})).await;
    for text in ["one", "two"] {
        alee.ok("room.message", json!({"room": room, "message": text})).await;
    }
    bob.sign_in().await;
    let back = bob.next("room.join").await;
    assert_eq!((&back["newbie"], &back["user"]["id"]), (&json!(false), &json!(bob.id)));
    let one = bob.hears("one").await;
    assert_eq!((&one["room"], &one["name"], &one["to"]), (&json!(room), &json!("tea"), &json!(bob.id)));
    bob.hears("two").await;
    bob.heard_nothing(&mut carol).await;
    carol.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn a_member_who_was_away_hears_nothing_that_was_said_before_joining() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    alee.ok("room.message", json!({"room": room, "message": "before"})).await;
    bob.join(room).await;
    bob.ok("signout", json!({})).await;
    alee.ok("room.message", json!({"room": room, "message": "after"})).await;
    bob.sign_in().await;
    bob.next("room.join").await;
    bob.hears("after").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn who_left_hears_no_more_live_or_later() {
    let (_server, mut alee, mut bob, room) = two_in_a_room().await;
    bob.ok("room.leave", json!({"id": room})).await;
    alee.ok("room.message", json!({"room": room, "message": "behind your back"})).await;
    bob.heard_nothing(&mut alee).await;
    bob.ok("signout", json!({})).await;
    alee.ok("room.message", json!({"room": room, "message": "behind your back"})).await;
    assert_eq!(bob.sign_in().await["rooms"], json!([]));
    bob.heard_nothing(&mut alee).await;
}

/// Whoever enters a room in which people talk hears all that is said from that moment on, and nothing else: what is in
/// their log.
#[tokio::test]
async fn a_newcomer_hears_all_that_is_addressed_to_them_from_the_first_moment() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut newcomers = Vec::new();
    for n in 0..10 {
        newcomers.push(server.person(&format!("newcomer{n}")).await);
    }
    for _ in 0..5 {
        let room = alee.room("tea").await;
        let talk = async {
            for n in 0..60 {
                alee.ok("room.message", json!({"room": room, "message": n.to_string()})).await;
            }
        };
        let enter = async {
            for newcomer in &mut newcomers {
                newcomer.ok("room.join", json!({"id": room})).await;
            }
        };
        tokio::join!(talk, enter);
        alee.ok("room.message", json!({"room": room, "message": "end"})).await;
        while alee.next_event("end").await.1["message"] != "end" {}
        for newcomer in &mut newcomers {
            let mut heard = Vec::new();
            while heard.last() != Some(&json!("end")) {
                let (name, data) = newcomer.next_event("message").await;
                heard.extend((name == "message").then(|| data["message"].clone()));
            }
            let mut addressed = Vec::new();
            for page in 1..=4 {
                let log = newcomer.ok("log", json!({"room": room, "page": page})).await;
                addressed.extend(each(&log["docs"], "message").into_iter().cloned());
            }
            assert_eq!(heard, addressed, "{}", newcomer.username);
        }
    }
}

/// And whoever leaves one has heard all that is in their log, at the latest at the next sign-in.
#[tokio::test]
async fn a_leaver_has_heard_all_that_was_addressed_to_them_to_the_last_moment() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut leavers = Vec::new();
    for n in 0..10 {
        leavers.push(server.person(&format!("leaver{n}")).await);
    }
    for _ in 0..5 {
        let room = alee.room("tea").await;
        for leaver in &mut leavers {
            leaver.ok("room.join", json!({"id": room})).await;
        }
        let talk = async {
            for n in 0..60 {
                alee.ok("room.message", json!({"room": room, "message": n.to_string()})).await;
            }
        };
        let leave = async {
            for leaver in &mut leavers {
                leaver.ok("room.leave", json!({"id": room})).await;
            }
        };
        tokio::join!(talk, leave);
        for leaver in &mut leavers {
            leaver.ok("signout", json!({})).await;
            leaver.sign_in().await;
            alee.say(leaver.id, "end").await;
            let mut heard = Vec::new();
            while heard.last() != Some(&json!("end")) {
                let (name, data) = leaver.next_event("message").await;
                heard.extend((name == "message").then(|| data["message"].clone()));
            }
            for page in 1..=3 {
                let log = leaver.ok("log", json!({"room": room, "page": page})).await;
                for text in each(&log["docs"], "message") {
                    assert!(heard.contains(text), "{} has not heard {text}", leaver.username);
                }
            }
        }
    }
}

/// When the reply to a leave is there, so is everything that was said before, and nothing that was said after comes.
#[tokio::test]
async fn a_leave_has_its_place_among_the_messages() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut leavers = Vec::new();
    for n in 0..10 {
        leavers.push(server.person(&format!("leaver{n}")).await);
    }
    for _ in 0..5 {
        let room = alee.room("tea").await;
        for leaver in &mut leavers {
            leaver.ok("room.join", json!({"id": room})).await;
        }
        let talk = async {
            for n in 0..60 {
                alee.fire("room.message", json!({"room": room, "message": n.to_string()})).await;
            }
        };
        let leave = async {
            for leaver in &mut leavers {
                leaver.ok("room.leave", json!({"id": room})).await;
            }
        };
        tokio::join!(talk, leave);
        alee.ok("room.message", json!({"room": room, "message": "end"})).await;
        for leaver in &mut leavers {
            let mut addressed = Vec::new();
            for page in 1..=4 {
                let log = leaver.ok("log", json!({"room": room, "page": page})).await;
                addressed.extend(each(&log["docs"], "message").into_iter().cloned());
            }
            let mut heard = Vec::new();
            while leaver.pending().next().is_some() {
                let (name, data) = leaver.next_event("message").await;
                heard.extend((name == "message").then(|| data["message"].clone()));
            }
            assert_eq!(heard, addressed, "{}", leaver.username);
        }
        while alee.next_event("end").await.1["message"] != "end" {}
    }
}

#[tokio::test]
async fn a_person_may_be_in_a_limited_number_of_rooms() {
    let server = Server::with(|config| config.rooms_max = 2).await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let rooms = [bob.room("a").await, bob.room("b").await];
    assert_eq!(bob.code("room.create", json!({"name": "c"})).await, 404);
    alee.room("d").await;
    alee.join(rooms[0]).await;
    assert_eq!(alee.code("room.join", json!({"id": rooms[1]})).await, 404);
    // Being in it already takes no further place.
    alee.join(rooms[0]).await;
}

#[tokio::test]
async fn rooms_outlive_the_server() {
    let (server, alee, bob, room) = two_in_a_room().await;
    alee.close().await;
    bob.close().await;
    let server = server.restart().await;
    let mut alee = server.newcomer("alee").await;
    assert_eq!(each(&alee.sign_in().await["rooms"], "id"), [room]);
    alee.next("room.join").await;
    let mut bob = server.device("bob").await;
    assert_eq!(alee.next("room.join").await["user"]["id"], bob.id);
    bob.next("room.join").await;
    bob.ok("room.message", json!({"room": room, "message": "still here"})).await;
    alee.hears("still here").await;
    bob.hears("still here").await;
    assert!(bob.room("new").await > room);
}
