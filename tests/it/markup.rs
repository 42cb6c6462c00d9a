//! Message text is HTML, and goes into other people's windows as it comes: only what is harmless gets through.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn plain_text_passes_byte_for_byte() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for text in [
        "hi",
        "a & b",
        "&lt;b&gt; &amp;amp; &nbsp; &#39; &bogus;",
        "1 > 0",
        "\"double\" 'single' `back` \\ /",
        "  spaces\tand\r\nlines\n\n",
        "你好 😀 é e\u{301} \u{200d}\u{2028}\u{feff}x",
        "javascript:alert(1) onclick=x",
        "{\"$gt\":\"\"}",
    ] {
        alee.say(bob.id, text).await;
        bob.hears(text).await;
    }
}

#[tokio::test]
async fn what_the_editor_makes_stays() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for text in [
        "<strong>a</strong><em>b</em><u>c</u><b>d</b><i>e</i><s>f</s>",
        "<p>a<br>b</p><div>c</div>",
        r#"<span style="color:#E53333">red</span>"#,
        r#"<font color="red">old</font>"#,
    ] {
        alee.say(bob.id, text).await;
        bob.hears(text).await;
    }
    for (text, kept) in [
        (
            r#"<img src="kindeditor/plugins/emoticons/images/134.gif" border="0" alt="" />"#,
            r#"src="kindeditor/plugins/emoticons/images/134.gif""#,
        ),
        (r#"<img src="/public/files/nodeim-server/1.png">"#, r#"src="/public/files/nodeim-server/1.png""#),
        (r#"<img src="https://a.example/1.png">"#, r#"src="https://a.example/1.png""#),
        (r#"<a href="http://a.example/?x=1">link</a>"#, r#"href="http://a.example/?x=1""#),
        (r#"<span style="font-size:14px;position:fixed">x</span>"#, "font-size:14px"),
    ] {
        alee.say(bob.id, text).await;
        let message = bob.next("message").await;
        assert!(message["message"].as_str().unwrap().contains(kept), "{text} became {message}");
    }
}

const ATTACKS: [&str; 14] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<b onclick=\"alert(1)\">x</b>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"jAvA\tscript:alert(1)\">x</a>",
    "<img src=\"data:text/html,<script>alert(1)</script>\">",
    "<iframe src=//evil.example></iframe>",
    "<svg/onload=alert(1)>",
    "<style>*{background:url(//evil.example)}</style>",
    "<span style=\"background:url(//evil.example);position:fixed\">x</span>",
    "<object data=x></object><embed src=x><form action=x><input></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<!--><script>alert(1)</script>-->",
];

#[track_caller]
fn assert_harmless(text: &str, attack: &str) {
    let text = text.to_lowercase();
    for harm in [
        "<script",
        "onerror=",
        "onclick=",
        "onload=",
        "\"javascript",
        "\"java",
        "data:",
        "<iframe",
        "<svg",
        "<style",
        "url(",
        "position",
        "<object",
        "<embed",
        "<form",
        "<input",
        "<math",
        "<!--",
    ] {
        assert!(!text.contains(harm), "{harm} is left of {attack}: {text}");
    }
}

#[tokio::test]
async fn attacks_are_taken_out_wherever_a_text_is_shown() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = bob.room("tea").await;
    alee.join(room).await;
    bob.next("room.join").await;
    for attack in ATTACKS {
        alee.ok("message", json!({"to": bob.id, "message": attack})).await;
        alee.ok("room.message", json!({"room": room, "message": attack})).await;
        alee.ok("subscribe", json!({"to": bob.id, "message": attack})).await;
        for _ in 0..3 {
            assert_harmless(bob.next("message").await["message"].as_str().unwrap(), attack);
        }
        bob.ok("reply", json!({"to": alee.id, "refuse": 1, "message": attack})).await;
        assert_eq!(alee.next("message").await["room"], room);
        assert_harmless(alee.next("message").await["message"].as_str().unwrap(), attack);
        let created = alee.ok("room.create", json!({"name": "x", "intro": attack})).await;
        assert_harmless(created["room"]["intro"].as_str().unwrap(), attack);
        alee.next("room.join").await;
    }
    let log = bob.ok("log", json!({})).await;
    for doc in log["docs"].as_array().unwrap() {
        assert_harmless(doc["message"].as_str().unwrap(), "in the log");
    }
}

#[tokio::test]
async fn a_lone_angle_bracket_is_shown_as_one() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for text in ["1 < 2", "a <- b", "<3"] {
        alee.say(bob.id, text).await;
        let shown = bob.next("message").await["message"].as_str().unwrap().replace("&lt;", "<").replace("&gt;", ">");
        assert_eq!(shown, text);
    }
}

#[tokio::test]
async fn a_nul_does_not_stop_a_text() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for text in ["a\u{0}b", "<b>a\u{0}b</b>"] {
        alee.say(bob.id, text).await;
        let message = bob.next("message").await;
        let shown = message["message"].as_str().unwrap();
        assert!(shown.contains('a') && shown.contains('b') && !shown.contains('\0'), "{message}");
    }
}
