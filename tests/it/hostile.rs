//! Input that no client sends. It gets an answer where one is possible, and disturbs nobody else.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Revision, Server, code};

/// All commands, and what is none.
pub(crate) const COMMANDS: [&str; 19] = [
    "signup",
    "signin",
    "retrieve",
    "signout",
    "find",
    "message",
    "subscribe",
    "reply",
    "unsubscribe",
    "friends",
    "group",
    "room.create",
    "room.join",
    "room.leave",
    "room.list",
    "room.message",
    "log",
    "presence",
    "profile",
];

/// A server, somebody who attacks it, and two people who talk meanwhile.
struct Scene {
    server: Server,
    attacker: Client,
    alee: Client,
    bob: Client,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        let attacker = server.person("attacker").await;
        let alee = server.person("alee").await;
        let bob = server.person("bob").await;
        Self { server, attacker, alee, bob }
    }

    /// The others talk as if nothing had happened.
    async fn undisturbed(&mut self) {
        self.alee.say(self.bob.id, "undisturbed").await;
        self.bob.hears("undisturbed").await;
        assert_eq!(self.server.get("/healthz").await.status(), 200);
    }

    /// The attacker's connection lives, and every frame before was answered as it had to be.
    async fn attacker_lives(&mut self) {
        assert_eq!(self.attacker.code("no such command", json!({})).await, 404);
        assert_eq!(self.attacker.pending().count(), 0, "{:?}", self.attacker.pending().next());
    }
}

#[tokio::test]
async fn every_command_answers_every_shape_once() {
    let mut scene = Scene::new().await;
    let deep = json!({"id": 1, "to": {"$gt": ""}, "doc": {"a": {"b": [[[[]]]]}}});
    for argument in [
        "",
        ",null",
        ",0",
        ",-1.5e300",
        ",true",
        ",\"\"",
        ",\"text\"",
        ",[]",
        ",[[[[1]]]]",
        ",{}",
        ",{\"\":{\"\":\"\"}}",
        ",{\"__proto__\":{\"admin\":true},\"constructor\":{\"prototype\":{}},\"toString\":1,\"hasOwnProperty\":null}",
        ",{\"id\":\"__proto__\",\"to\":\"constructor\",\"username\":\"toString\",\"room\":\"valueOf\"}",
        ",{\"$where\":\"while(1);\",\"$gt\":\"\",\"$or\":[{},{}]}",
        ",{\"id\":1,\"id\":2,\"data\":{},\"data\":{\"id\":3}}",
        ",{\"to\":1e999}",
        ",{\"message\":\"\\ud800\"}",
        &format!(",{deep}"),
    ] {
        for command in COMMANDS {
            scene.attacker.raw(&format!("42700[\"{command}\"{argument}]")).await;
            let reply = scene.attacker.reply(700).await;
            scene.attacker.forget(700);
            assert_ne!(code(&reply), 500, "{command} {argument}: {reply}");
        }
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn strange_ids_are_nobodys() {
    let mut scene = Scene::new().await;
    let room = scene.attacker.room("tea").await;
    for id in [
        json!(-1),
        json!(0),
        json!(-0.0),
        json!(0.1),
        json!(1.000_000_1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!("-1"),
        json!("1.0"),
        json!("1e0"),
        json!(" 1"),
        json!("1 "),
        json!("+1"),
        json!("0x1"),
        json!("١"),
        json!("１"),
        json!("1\u{0}"),
        json!("9".repeat(10_000)),
        json!(i64::MAX.to_string()),
        json!(false),
        json!([1]),
        json!({"$ne": 0}),
    ] {
        for (command, expected) in [
            ("message", 404),
            ("subscribe", 404),
            ("reply", 404),
            ("group", 404),
            ("room.join", 404),
            ("room.leave", 404),
            ("room.list", 404),
            ("room.message", 404),
            ("unsubscribe", 200),
            ("friends", 200),
            ("find", 200),
            ("log", 200),
        ] {
            let payload = match command {
                "message" | "subscribe" | "reply" | "unsubscribe" => json!({"to": id, "message": "x"}),
                "group" => json!({"to": id, "group": "g"}),
                "log" => json!({"from": id}),
                "room.message" => json!({"room": id, "id": room, "message": "x"}),
                _ => json!({"id": id}),
            };
            let reply = scene.attacker.ack(command, payload).await;
            assert_eq!(code(&reply), expected, "{command} {id}");
            for list in ["list", "users", "docs"] {
                assert!(reply[list].is_null() || reply[list] == json!([]), "{command} {id}: {reply}");
            }
        }
    }
    scene.attacker_lives().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn operators_and_prototypes_give_nobody_any_rights() {
    let mut scene = Scene::new().await;
    let mut stranger = scene.server.connect().await;
    let operators = [
        json!({"$gt": ""}),
        json!({"$ne": null}),
        json!({"$regex": ".*"}),
        json!({"$where": "1"}),
        json!([["$gt", ""]]),
        json!({"toString": "alee", "length": 4}),
    ];
    for operator in &operators {
        for claim in [
            json!({"username": "alee", "password": operator}),
            json!({"username": operator, "password": PASSWORD}),
            json!({"username": operator, "password": operator}),
            json!({"id": operator, "password": operator}),
            json!({"id": scene.alee.id, "password": operator}),
            json!({"username": "alee", "password": "x", "$or": [{"username": "alee"}]}),
            json!({"__proto__": {"user": 1}, "username": "alee", "password": operator}),
        ] {
            assert_ne!(stranger.code("signin", claim.clone()).await, 200, "{claim}");
        }
    }
    assert_eq!(stranger.code("friends", json!({})).await, 403);
    scene.undisturbed().await;
}

#[tokio::test]
async fn deep_nesting_costs_nothing_but_its_own_command() {
    let mut scene = Scene::new().await;
    let depth = 100_000;
    let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for deep in [&lists, &objects] {
        for command in COMMANDS {
            scene.attacker.raw(&format!("42700[\"{command}\",{deep}]")).await;
            assert_ne!(code(&scene.attacker.reply(700).await), 200, "{command}");
            scene.attacker.forget(700);
        }
        scene.attacker.raw(&format!("42700[\"profile\",{{\"doc\":{{\"a\":{deep}}}}}]")).await;
        assert_ne!(code(&scene.attacker.reply(700).await), 200);
        scene.attacker.forget(700);
        // Unfinished, as a further argument, and where nobody waits for an answer.
        let after = format!("42700[\"friends\",{{}},{deep}]");
        scene.attacker.raw(&after).await;
        scene.attacker.reply(700).await;
        scene.attacker.forget(700);
        scene.attacker.raw(&format!("42[\"friends\",{deep}]")).await;
        assert_ne!(scene.attacker.next("rspn").await["data"]["code"], 200);
    }
    scene.attacker_lives().await;
    scene.undisturbed().await;
}

/// What is nested deeply, and still read, is stored and comes back.
#[tokio::test]
async fn nesting_that_is_read_can_also_be_written() {
    let mut scene = Scene::new().await;
    for depth in [50, 100, 120] {
        let nested = (1..depth).fold(json!([]), |inner, _| json!([inner]));
        scene.attacker.ok("profile", json!({"doc": {"a": nested}})).await;
        let found = scene.alee.ok("find", json!({"username": "attacker"})).await;
        assert_eq!(found["users"][0]["a"], nested);
        scene.attacker.say(scene.alee.id, "x").await;
        assert_eq!(scene.alee.hears("x").await["from"]["a"], nested);
        assert_eq!(scene.server.newcomer("attacker").await.sign_in().await["doc"]["a"], nested);
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_long_text_is_refused_in_each_place_where_one_may_stand() {
    let mut scene = Scene::new().await;
    let room = scene.attacker.room("tea").await;
    let long = "x".repeat(900_000);
    let to = scene.alee.id;
    for (command, payload) in [
        ("message", json!({"to": to, "message": long})),
        ("message", json!({"to": long, "message": "x"})),
        ("message", json!({"to": to, "message": "x", "cid": long})),
        ("room.message", json!({"room": room, "message": long})),
        ("subscribe", json!({"to": to, "message": long})),
        ("presence", json!({"presence": long})),
        ("profile", json!({"doc": {"nick": long}})),
        ("profile", json!({"doc": {"question": long}})),
        ("profile", json!({"doc": {"password": long}})),
        ("profile", json!({"doc": {"answer": long}})),
        ("profile", json!({"doc": long})),
        ("room.create", json!({"name": long})),
        ("room.create", json!({"name": "x", "intro": long})),
        ("group", json!({"to": to, "group": long})),
        ("signup", json!({"username": long, "password": "x"})),
        ("signup", json!({"username": "x", "password": long})),
        ("retrieve", json!({"username": long})),
    ] {
        let refused = scene.attacker.code(command, payload).await;
        assert!(matches!(refused, 403 | 404), "{command}: {refused}");
    }
    assert_eq!(scene.attacker.ok("find", json!({"nick": long})).await["users"], json!([]));
    assert_eq!(scene.attacker.ok("find", json!({long.as_str(): 1})).await["users"], json!([]));
    assert_eq!(scene.attacker.code(&long, json!({})).await, 404);
    scene.attacker_lives().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn markup_made_to_be_slow_is_not() {
    let mut scene = Scene::new().await;
    for piece in ["<a><b><i>", "<div>", "<p><a href=x>", "<", "&", "<b ", "<!--", "<table><td>", "<font><p>"] {
        let text = piece.repeat(65_536 / piece.len());
        let sent = scene.attacker.fire("message", json!({"to": scene.alee.id, "message": text})).await;
        assert_eq!(code(&scene.attacker.reply(sent).await), 200, "{piece}");
        let heard = scene.alee.next("message").await;
        assert!(heard["message"].as_str().unwrap().len() < 1 << 20, "{piece} has grown");
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_frame_of_more_than_a_mebibyte_ends_its_connection_alone() {
    let mut scene = Scene::new().await;
    let huge = format!("42700[\"message\",{{\"to\":1,\"message\":\"{}\"}}]", "x".repeat(2 << 20));
    // The server may hang up before it has read all of it.
    drop(scene.attacker.raw_bytes(huge.into_bytes()).await);
    scene.attacker.gone().await;
    scene.undisturbed().await;
    // A presence of the user is gone with it, and they may come back.
    scene.server.device("attacker").await;
}

#[tokio::test]
async fn bytes_that_are_no_text_disturb_nobody() {
    let mut scene = Scene::new().await;
    for bytes in [b"42[\"friends\",\"\xff\xfe\"]".to_vec(), b"\xc3\x28".to_vec(), b"42700[\"a\xed\xa0\x80\"]".to_vec()]
    {
        let mut client = scene.server.device("attacker").await;
        drop(client.raw_bytes(bytes).await);
        client.gone().await;
        scene.undisturbed().await;
    }
    scene.attacker_lives().await;
}

/// Packets that are none, or at the wrong time. The connection may live or die; nobody else notices.
#[tokio::test]
async fn broken_packets_disturb_nobody() {
    let mut scene = Scene::new().await;
    for packet in [
        "",
        "0",
        "1",
        "3",
        "5",
        "6",
        "7",
        "9",
        "4",
        "4x",
        "40",
        "40{}",
        "41",
        "43",
        "430[]",
        "4399999999999999999999[]",
        "44",
        "45",
        "451-",
        "459999999999-[\"a\"]",
        "45-[\"a\"]",
        "46",
        "49",
        "42",
        "42[",
        "42[]",
        "42{}",
        "42null",
        "42[null]",
        "42[1]",
        "42[[\"friends\"]]",
        "42\"friends\"",
        "42[\"friends\"",
        "42[\"friends\",",
        "420",
        "42-1[\"a\"]",
        "4299999999999999999999[\"friends\",{}]",
        "42/,[\"friends\"]",
        "42/none,[\"friends\",{}]",
        "40/none,",
        "41/none,",
        "40/none,{\"token\":1}",
        "probe",
        "2probe",
        "3probe",
        "\u{1e}",
        "42[\"friends\",{}]\u{1e}42[\"friends\",{}]",
        "b4AAAA",
        "字",
        "4字",
        "42字[\"friends\"]",
    ] {
        let mut client = scene.server.device("attacker").await;
        client.raw(packet).await;
        // A command, and a goodbye: whatever the packet did, the server still works this connection off.
        for frame in ["42701[\"friends\",{}]", "1"] {
            drop(client.raw_bytes(frame.as_bytes().to_vec()).await);
        }
        client.gone().await;
        scene.undisturbed().await;
    }
    scene.attacker_lives().await;
    crate::support::until("the end of the others", async || {
        scene.server.metric("nodeim_connections{transport=\"websocket\"}").await == 3.0
    })
    .await;
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_main_one_works_on() {
    let mut scene = Scene::new().await;
    scene.attacker.raw("40/chat,").await;
    scene.attacker_lives().await;
    assert!(scene.attacker.transcript.iter().any(|frame| frame.starts_with("44/chat,")));
    scene.undisturbed().await;
}

#[tokio::test]
async fn nothing_is_done_before_the_namespace_is_entered() {
    let mut scene = Scene::new().await;
    let credentials = json!({"username": "alee", "password": PASSWORD});
    let mut early = Client::open(scene.server.address, Revision::V4, &[]).await;
    early.raw(&format!("42700{}", json!(["signin", credentials]))).await;
    // Entering now and asking shows it; the server may as well have hung up.
    for frame in ["40", "42701[\"friends\",{}]"] {
        drop(early.raw_bytes(frame.as_bytes().to_vec()).await);
    }
    early.ends_or_answers(701).await;
    let answers: Vec<_> = early.transcript.iter().filter(|frame| frame.starts_with("43")).collect();
    assert!(answers.iter().all(|frame| frame.starts_with("43701") && frame.contains("403")), "{answers:?}");
    scene.undisturbed().await;
}

#[tokio::test]
async fn binary_attachments_are_placeholders_and_nothing_more() {
    let mut scene = Scene::new().await;
    for (header, attachments) in [
        ("451-700[\"message\",{\"_placeholder\":true,\"num\":0}]".to_owned(), 1),
        (
            format!(
                "451-700[\"message\",{{\"to\":{},\"message\":{{\"_placeholder\":true,\"num\":0}}}}]",
                scene.alee.id
            ),
            1,
        ),
        ("452-700[\"friends\",{},{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]".to_owned(), 2),
    ] {
        scene.attacker.raw(&header).await;
        for _ in 0..attachments {
            scene.attacker.raw_binary(b"\x00\xff{}").await;
        }
        let reply = scene.attacker.reply(700).await;
        assert_eq!(code(&reply), if header.contains("friends") { 200 } else { 404 }, "{header}");
        scene.attacker.forget(700);
    }
    scene.attacker_lives().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn binary_without_an_announcement_disturbs_nobody() {
    let mut scene = Scene::new().await;
    let mut client = scene.server.device("attacker").await;
    client.raw_binary(b"\x04\x00\xff").await;
    drop(client.raw_bytes(b"42701[\"friends\",{}]".to_vec()).await);
    client.ends_or_answers(701).await;
    scene.undisturbed().await;
}

/// A dozen devices work for one user while they sign out one after the other: every command gets its answer, done
/// or refused, and who is signed out stays so.
#[tokio::test]
async fn commands_in_parallel_with_signout() {
    let mut scene = Scene::new().await;
    let room = scene.alee.room("tea").await;
    for round in 0..5 {
        let mut devices = Vec::new();
        for _ in 0..4 {
            devices.push(scene.server.device("attacker").await);
        }
        let to = scene.alee.id;
        let work = devices.iter_mut().enumerate().map(|(n, device)| async move {
            let mut fired = Vec::new();
            for step in 0..20 {
                let signing_out = step == 4 * n + 2;
                fired.push(match step % 4 {
                    _ if signing_out => device.fire("signout", json!({})).await,
                    0 => device.fire("message", json!({"to": to, "message": "x"})).await,
                    1 => device.fire("room.join", json!({"id": room})).await,
                    2 => device.fire("presence", json!({"presence": "忙碌"})).await,
                    _ => device.fire("room.leave", json!({"id": room})).await,
                });
            }
            for (step, id) in fired.into_iter().enumerate() {
                let expected = if step <= 4 * n + 2 { 200 } else { 403 };
                assert_eq!(code(&device.reply(id).await), expected, "device {n}, step {step}");
            }
        });
        futures_util::future::join_all(work).await;
        for device in &mut devices {
            assert_eq!(device.code("friends", json!({})).await, 403);
        }
        // Whoever is still announced as a member can be heard, and the room works.
        scene.alee.ok("room.message", json!({"room": room, "message": format!("end of {round}")})).await;
        loop {
            let (_, data) = scene.alee.next_event("message").await;
            if data["message"] == format!("end of {round}") {
                break;
            }
        }
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_of_its_commands_leaves_nothing_behind() {
    let mut scene = Scene::new().await;
    for _ in 0..10 {
        let mut client = scene.server.device("attacker").await;
        for _ in 0..10 {
            client.fire("message", json!({"to": scene.alee.id, "message": "x"})).await;
            client.fire("room.create", json!({"name": "x"})).await;
        }
        drop(client);
    }
    // The scene's own connections are all that remain.
    crate::support::until("the end of the others", async || {
        scene.server.metric("nodeim_connections{transport=\"websocket\"}").await == 3.0
    })
    .await;
    let value: Value = scene.alee.ok("log", json!({"from": scene.attacker.id})).await;
    assert!(value["docs"].as_array().unwrap().iter().all(|doc| doc["message"] == "x"));
}

/// PostgreSQL cannot store a NUL, not even in a parameter that is only compared.
#[tokio::test]
async fn a_nul_in_a_name_that_is_looked_for_is_nobodys() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    assert_eq!(alee.ok("find", json!({"username": "alee\u{0}"})).await["users"], json!([]));
    let mut client = server.connect().await;
    assert_eq!(client.code("signin", json!({"username": "alee\u{0}", "password": PASSWORD})).await, 404);
    assert_eq!(client.code("retrieve", json!({"username": "alee\u{0}"})).await, 404);
    let reset = json!({"username": "alee\u{0}", "answer": "a", "newpassword": "b"});
    assert_eq!(client.code("retrieve", reset).await, 404);
}
