//! Guessing passwords, and storms of people who sign in.

use serde_json::json;

use super::{Siege, from};
use crate::support::{Client, Mumi, PASSWORD, Revision, Server, TRANSPORTS, code, within};

/// Where the owner of the account is.
const HOME: &str = "127.0.0.66";

async fn at_home(server: &Server) -> Client {
    let mut client = Client::over(from(HOME, server.address).await, Revision::V4, &[]).await;
    client.enter(Revision::V4).await;
    client
}

/// Whether a sign-in of today's clients is refused because of earlier ones.
async fn is_locked(client: &mut Client, account: serde_json::Value) -> bool {
    let mut claim = account;
    claim["password"] = json!(PASSWORD);
    let reply = client.ack("signin", claim).await;
    if code(&reply) == 200 {
        client.ok("signout", json!({})).await;
        return false;
    }
    assert_eq!((code(&reply), &reply["reason"]), (404, &json!("too_many")), "{reply}");
    true
}

/// So many guesses at one account are all that an address has, over whichever wires.
#[tokio::test]
async fn wrong_passwords_lock_the_account_for_that_address_on_every_wire() {
    let server = Server::with(|config| config.rate_signin_per_minute = 6).await;
    let mut owner = at_home(&server).await;
    owner.ok("signup", json!({"username": "carol", "password": PASSWORD})).await;
    server.person("dave").await;
    let wrong = json!({"username": "carol", "password": "wrong"});
    let mut guesser = server.connect().await;
    let mut mumi = server.mumi().await;
    let mut olds = Vec::new();
    for transport in TRANSPORTS {
        olds.push(server.old(transport).await);
    }
    for _ in 0..2 {
        assert_eq!(guesser.code("signin", wrong.clone()).await, 404);
    }
    for old in &mut olds {
        let reply = old.command("signin", wrong.clone()).await;
        assert_eq!((code(&reply), &reply["reason"]), (404, &json!("wrong_password")), "{reply}");
    }
    assert_eq!(mumi.code("login", json!({"email": "carol", "password": "wrong"})).await, 10000);
    // Locked on all of them, with the right password too.
    let right = json!({"username": "carol", "password": PASSWORD});
    assert!(is_locked(&mut guesser, json!({"username": "carol"})).await);
    for old in &mut olds {
        assert_eq!(old.command("signin", right.clone()).await["reason"], "too_many");
    }
    assert_eq!(mumi.code("login", json!({"email": "carol", "password": PASSWORD})).await, 10000);
    // Neither for others at that address, nor for the owner elsewhere, on any wire.
    server.device("dave").await;
    assert!(!is_locked(&mut owner, json!({"username": "carol"})).await);
    let stream = from(HOME, server.address).await;
    let mut mumi = Mumi::over(Box::new(stream), &format!("ws://{}/", server.address)).await;
    assert_eq!(mumi.code("login", json!({"email": "carol", "password": PASSWORD})).await, 202);
}

/// An account has a name, an id and perhaps an email address. It is one account.
#[tokio::test]
async fn no_other_name_of_the_account_gives_more_guesses() {
    let server = Server::with(|config| config.rate_signin_per_minute = 4).await;
    let mut owner = at_home(&server).await;
    let account = json!({"username": "carol", "password": PASSWORD, "email": "carol@example.com"});
    let id = owner.ok("signup", account).await["id"].as_i64().unwrap();
    let mut guesser = server.connect().await;
    let mut mumi = server.mumi().await;
    assert_eq!(guesser.code("signin", json!({"username": "carol", "password": "wrong"})).await, 404);
    assert_eq!(guesser.code("signin", json!({"id": id, "password": "wrong"})).await, 404);
    assert_eq!(guesser.code("signin", json!({"id": id, "username": "carol", "password": "wrong"})).await, 404);
    assert_eq!(mumi.code("login", json!({"email": "carol@example.com", "password": "wrong"})).await, 10000);
    for account in [json!({"username": "carol"}), json!({"id": id}), json!({"id": id, "username": "carol"})] {
        assert!(is_locked(&mut guesser, account).await);
    }
    assert_eq!(mumi.code("login", json!({"email": "carol@example.com", "password": PASSWORD})).await, 10000);
    assert!(!is_locked(&mut owner, json!({"id": id})).await);
}

/// Passwords take their time. Messages do not wait for them.
#[tokio::test]
async fn messages_pass_while_many_wait_to_be_signed_in() {
    const STORM: usize = 60;
    // People who are there already, and a server on which a password takes long from then on.
    let siege = Siege::new().await;
    let mut siege = Siege {
        server: siege
            .server
            .restart_with(|config| {
                (config.bcrypt_cost, config.bcrypt_parallel) = (12, 1);
            })
            .await,
        ..siege
    };
    for client in [&mut siege.alee, &mut siege.bob] {
        let (username, token) = (client.username.clone(), client.token.clone());
        *client = siege.server.newcomer(&username).await;
        client.id = client.ok("signin", json!({"token": token})).await["doc"]["id"].as_i64().unwrap();
    }
    let mut storm = Vec::new();
    for n in 0..STORM {
        let mut client = siege.server.connect().await;
        let claim = json!({"username": format!("nobody{n}"), "password": PASSWORD});
        let sent = client.fire("signin", claim).await;
        storm.push((client, sent));
    }
    for _ in 0..5 {
        siege.undisturbed().await;
    }
    let answered = siege.server.metric("nodeim_commands_total{command=\"signin\",code=\"404\"}").await;
    assert!(answered < STORM as f64 / 2.0, "{answered} of {STORM} were done before five messages");
    // And nobody is forgotten.
    let (mut first, sent) = storm.swap_remove(0);
    assert_eq!(code(&first.reply(sent).await), 404);
}

/// Who comes when too many wait is told so at once, and may try again.
#[tokio::test]
async fn a_queue_for_passwords_has_an_end() {
    const STORM: usize = 60;
    let siege = Siege::with(|config| {
        (config.bcrypt_cost, config.bcrypt_parallel, config.bcrypt_queue_max) = (8, 1, 10);
    })
    .await;
    let mut storm = Vec::new();
    for n in 0..STORM {
        let client = siege.server.connect().await;
        storm.push((client, format!("nobody{n}")));
    }
    let ask = storm.iter_mut().map(async |(client, name)| {
        let sent = client.fire("signin", json!({"username": name, "password": PASSWORD})).await;
        code(&client.reply(sent).await)
    });
    let codes = within("all answers", futures_util::future::join_all(ask)).await;
    assert!(codes.iter().all(|code| matches!(code, 404 | 500)), "{codes:?}");
    assert!(codes.contains(&404) && codes.contains(&500), "{codes:?}");
    let (client, name) = &mut storm[0];
    assert_eq!(client.code("signin", json!({"username": name, "password": PASSWORD})).await, 404);
}
