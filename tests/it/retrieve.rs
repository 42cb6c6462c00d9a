//! `retrieve`: a lost password.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server};

/// A server with one account that has a question.
async fn with_question() -> (Server, Client) {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let account = json!({"username": "alee", "password": PASSWORD, "question": "pet?", "answer": "42"});
    client.ok("signup", account).await;
    (server, client)
}

#[tokio::test]
async fn the_first_step_tells_the_question() {
    let (_server, mut client) = with_question().await;
    let question = json!({"code": 200, "question": "pet?"});
    for payload in [
        json!({"username": "alee"}),
        json!({"username": "alee", "answer": "", "newpassword": ""}),
        json!({"username": "alee", "answer": "42"}),
        json!({"username": "alee", "answer": "wrong", "newpassword": ""}),
        json!({"username": "alee", "newpassword": "222222"}),
        json!({"username": "alee", "answer": {"$gt": ""}, "newpassword": "222222"}),
        json!({"username": "alee", "answer": null, "newpassword": "222222"}),
    ] {
        assert_eq!(client.ack("retrieve", payload.clone()).await, question, "{payload}");
    }
    client.ok("signin", json!({"username": "alee", "password": PASSWORD})).await;
}

#[tokio::test]
async fn the_second_step_sets_the_password() {
    let (_server, mut client) = with_question().await;
    // Compared as text.
    for answer in [json!("42"), json!(42)] {
        let payload = json!({"username": "alee", "answer": answer, "newpassword": format!("new {answer}")});
        assert_eq!(client.ack("retrieve", payload).await, json!({"code": 200}));
        assert_eq!(client.code("signin", json!({"username": "alee", "password": PASSWORD})).await, 404);
        client.ok("signin", json!({"username": "alee", "password": format!("new {answer}")})).await;
        client.ok("signout", json!({})).await;
    }
}

#[tokio::test]
async fn a_wrong_answer_is_406_and_changes_nothing() {
    let (_server, mut client) = with_question().await;
    for answer in [json!("43"), json!(" 42"), json!("42 "), json!("42\u{0}"), json!(42.5)] {
        let payload = json!({"username": "alee", "answer": answer, "newpassword": "stolen"});
        assert_eq!(client.code("retrieve", payload).await, 406, "{answer}");
    }
    assert_eq!(client.code("signin", json!({"username": "alee", "password": "stolen"})).await, 404);
    client.ok("signin", json!({"username": "alee", "password": PASSWORD})).await;
}

#[tokio::test]
async fn without_a_name_or_for_nobody_it_is_404() {
    let (_server, mut client) = with_question().await;
    for payload in [
        json!({}),
        json!({"username": ""}),
        json!({"username": null}),
        json!({"username": {"$gt": ""}}),
        json!({"username": ["alee"]}),
        json!({"answer": "42", "newpassword": "stolen"}),
        json!({"username": "nobody"}),
        json!({"username": "Alee"}),
        json!({"username": "nobody", "answer": "42", "newpassword": "stolen"}),
    ] {
        assert_eq!(client.code("retrieve", payload.clone()).await, 404, "{payload}");
    }
}

#[tokio::test]
async fn without_question_or_answer_it_is_405() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    for (n, extra) in [
        json!({}),
        json!({"question": "pet?"}),
        json!({"answer": "42"}),
        json!({"question": "", "answer": "42"}),
        json!({"question": "pet?", "answer": ""}),
        json!({"question": {"$gt": ""}, "answer": ["42"]}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut account = extra.clone();
        let username = format!("user{n}");
        account["username"] = json!(username);
        account["password"] = json!(PASSWORD);
        client.ok("signup", account).await;
        assert_eq!(client.code("retrieve", json!({"username": username})).await, 405, "{extra}");
        let guess = json!({"username": username, "answer": "42", "newpassword": "stolen"});
        assert_eq!(client.code("retrieve", guess).await, 405, "{extra}");
    }
}

#[tokio::test]
async fn it_works_while_signed_in_too() {
    let (server, mut client) = with_question().await;
    let mut bob = server.person("bob").await;
    assert_eq!(bob.ok("retrieve", json!({"username": "alee"})).await["question"], "pet?");
    client.ok("signin", json!({"username": "alee", "password": PASSWORD})).await;
    let reset = json!({"username": "alee", "answer": "42", "newpassword": "222222"});
    bob.ok("retrieve", reset).await;
    // Who is signed in stays so.
    client.ok("friends", json!({})).await;
}

#[tokio::test]
async fn an_unreasonable_answer_or_password_gets_a_code() {
    let (_server, mut client) = with_question().await;
    let huge = Value::from("x".repeat(100_000));
    let payload = json!({"username": "alee", "answer": huge, "newpassword": "stolen"});
    assert_eq!(client.code("retrieve", payload).await, 406);
    let payload = json!({"username": "alee", "answer": "42", "newpassword": huge});
    assert_eq!(client.code("retrieve", payload).await, 403);
    client.ok("signin", json!({"username": "alee", "password": PASSWORD})).await;
}
