//! `find`.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server, each};

/// The ids of those who were found.
async fn found(client: &mut Client, criteria: Value) -> Vec<Value> {
    let reply = client.ok("find", criteria).await;
    each(&reply["users"], "id").into_iter().cloned().collect()
}

#[tokio::test]
async fn at_most_thirty_by_id() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for n in 0..33 {
        let even = n % 2 == 0;
        alee.ok("signup", json!({"username": format!("u{n}"), "password": PASSWORD, "even": even})).await;
    }
    let everybody = found(&mut alee, json!({})).await;
    let first: Vec<_> = (alee.id..alee.id + 30).map(Value::from).collect();
    assert_eq!(everybody, first);
    assert_eq!(found(&mut alee, json!({"even": true})).await.len(), 17);
}

#[tokio::test]
async fn people_are_shown_as_others_see_them() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let secret = json!({
        "username": "bob", "password": "pw", "question": "q", "answer": "a", "groups": [{"name": "g"}], "nick": "B",
        "tags": ["x", {"y": null}]
    });
    let id = alee.ok("signup", secret).await["id"].clone();
    let reply = alee.ok("find", json!({"username": "bob"})).await;
    let bob = json!({"id": id, "username": "bob", "nick": "B", "tags": ["x", {"y": null}], "presence": "离线"});
    assert_eq!(reply, json!({"code": 200, "users": [bob]}));
}

#[tokio::test]
async fn all_criteria_must_be_met() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut ids = Vec::new();
    for (name, sex, age) in [("bob", "1", json!(30)), ("carol", "2", json!("30")), ("dave", "1", json!(31))] {
        let account = json!({"username": name, "password": PASSWORD, "sex": sex, "age": age, "vip": name == "bob"});
        ids.push(alee.ok("signup", account).await["id"].clone());
    }
    let [bob, carol, dave] = [&ids[0], &ids[1], &ids[2]].map(Clone::clone);
    for (criteria, expected) in [
        (json!({"sex": "1"}), vec![&bob, &dave]),
        (json!({"sex": 1}), vec![&bob, &dave]),
        (json!({"age": 30}), vec![&bob, &carol]),
        (json!({"age": "30"}), vec![&bob, &carol]),
        (json!({"age": "30", "sex": "2"}), vec![&carol]),
        (json!({"vip": true}), vec![&bob]),
        (json!({"vip": "true"}), vec![]),
        (json!({"username": "carol"}), vec![&carol]),
        (json!({"username": "Carol"}), vec![]),
        (json!({"username": "carol", "sex": "1"}), vec![]),
        (json!({"id": carol}), vec![&carol]),
        (json!({"id": carol.to_string()}), vec![&carol]),
        (json!({"id": carol, "username": "bob"}), vec![]),
        (json!({"nick": ""}), vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().cloned().collect();
        assert_eq!(found(&mut alee, criteria.clone()).await, expected, "{criteria}");
    }
}

#[tokio::test]
async fn what_nobody_can_meet_finds_nobody_and_never_everybody() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for criteria in [
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": "abc"}),
        json!({"id": 0}),
        json!({"id": -1}),
        json!({"id": 1.5}),
        json!({"id": 1e300}),
        json!({"id": "99999999999999999999"}),
        json!({"id": {"$gt": 0}}),
        json!({"id": [1]}),
        json!({"id": true}),
        json!({"username": null}),
        json!({"username": {"$gt": ""}}),
        json!({"username": {"$regex": ".*"}}),
        json!({"username": ["alee"]}),
        json!({"$where": "1"}),
        json!({"$or": [{"id": 1}]}),
        json!({"__proto__": {}}),
        json!({"sex": {"$ne": 5}}),
        json!({"sex": null}),
        json!({"a.b": 1}),
        json!({"a\u{0}b": 1}),
        json!({"' or 1=1 --": "x"}),
        json!({"sex": "' or '1'='1"}),
    ] {
        assert_eq!(found(&mut alee, criteria.clone()).await, [Value::Null; 0], "{criteria}");
    }
}

#[tokio::test]
async fn private_and_reserved_names_match_nobody() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let bob = json!({"username": "bob", "password": "pw", "question": "q", "answer": "a", "groups": "g", "group": "g"});
    alee.ok("signup", bob).await;
    for criteria in [
        json!({"password": "pw"}),
        json!({"answer": "a"}),
        json!({"question": "q"}),
        json!({"groups": "g"}),
        json!({"group": "g"}),
        json!({"presence": "在线"}),
        json!({"presence": "离线"}),
        json!({"username": "bob", "password": "pw"}),
        json!({"username": "bob", "answer": "a"}),
        json!({"password_hash": "$2"}),
    ] {
        assert_eq!(found(&mut alee, criteria.clone()).await, [Value::Null; 0], "{criteria}");
    }
}

#[tokio::test]
async fn too_many_criteria_are_refused() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let criteria = |count: usize| (0..count).map(|n| (format!("k{n}"), json!(n))).collect::<Value>();
    assert_eq!(found(&mut alee, criteria(16)).await, [Value::Null; 0]);
    assert_eq!(alee.code("find", criteria(17)).await, 403);
}

#[tokio::test]
async fn what_the_profile_changes_is_found_and_what_it_replaced_is_not() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("profile", json!({"doc": {"city": "北京"}})).await;
    let me = [Value::from(alee.id)];
    assert_eq!(found(&mut alee, json!({"city": "北京"})).await, me);
    alee.ok("profile", json!({"doc": {"city": "上海"}})).await;
    assert_eq!(found(&mut alee, json!({"city": "北京"})).await, [Value::Null; 0]);
    assert_eq!(found(&mut alee, json!({"city": "上海"})).await, me);
    alee.ok("profile", json!({"doc": {"city": ["上海"]}})).await;
    assert_eq!(found(&mut alee, json!({"city": "上海"})).await, [Value::Null; 0]);
}

#[tokio::test]
async fn long_values_are_compared_as_a_whole() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let long = "字".repeat(3000);
    alee.ok("profile", json!({"doc": {"sign": long}})).await;
    assert_eq!(found(&mut alee, json!({"sign": long})).await.len(), 1);
    assert_eq!(found(&mut alee, json!({"sign": format!("{long}.")})).await.len(), 0);
}
