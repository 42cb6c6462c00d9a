//! A session's state, through what may happen to it.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::state::{Answer, Check, Kind, Phase, State, Written};
use super::times::Times;
use crate::config::Config;
use crate::transport::crowd::Crowd;
use crate::transport::queue::{Limits, Overrun, Queue};
use crate::transport::tcp::{Peer, Stream};

fn new() -> (State, Times, Instant) {
    (State::new(Queue::new(Limits::small(2, 3))), Times::of(&Config::defaults()), Instant::now())
}

fn put(state: &mut State, packet: &str) -> Result<bool, Overrun> {
    state.put(packet.to_owned())
}

fn packets(packets: &[&str]) -> Option<Answer> {
    Some(Answer::Packets(packets.iter().map(|packet| (*packet).to_owned()).collect()))
}

/// A peer, and what must live for it to be there.
async fn peer() -> (Peer, Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, address) = listener.accept().await.unwrap();
    let (stream, peer) = Stream::accept(stream, address, Crowd::new(1, 1).seat().unwrap(), Duration::from_secs(1));
    (peer, stream, client)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn polls_take_what_waits_and_the_next_one_proves_it() {
    let (mut state, _, now) = new();
    put(&mut state, "early").unwrap();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    assert_eq!(state.answer_poll(turn, now), packets(&["1::", "early"]));
    assert_eq!(state.written(), Written::NotYet);
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    assert_eq!((state.written(), state.answer_poll(turn, now)), (Written::Yes, None));
    put(&mut state, "a").unwrap();
    put(&mut state, "b").unwrap();
    assert_eq!(state.answer_poll(turn, now), packets(&["a", "b"]));
    let (jsonp, _) = state.begin_poll(Kind::Jsonp, now);
    assert_eq!(state.answer_poll(turn, now), Some(Answer::Nothing), "a newer one has taken over");
    assert_eq!(state.answer_poll(jsonp, now), packets(&["1::"]), "on a transport that is new to the session");
}

#[tokio::test]
async fn whoever_waits_is_woken() {
    let (mut state, _, now) = new();
    let (turn, older) = state.begin_poll(Kind::Xhr, now);
    state.answer_poll(turn, now).unwrap();
    let (_, newer) = state.begin_poll(Kind::Xhr, now);
    older.notified().await;
    put(&mut state, "a").unwrap();
    newer.notified().await;
    state.leave();
    newer.notified().await;
    let _newest = state.begin_poll(Kind::Xhr, now);
    newer.notified().await;
}

#[test]
fn who_does_not_poll_expires() {
    let (mut state, times, now) = new();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    assert_eq!(state.check(now + seconds(500), &times), Check::Until(now + seconds(560)));
    state.end_poll(turn, now + seconds(500));
    state.end_poll(turn, now + seconds(550));
    assert_eq!(state.check(now + seconds(559), &times), Check::Until(now + seconds(560)));
    assert_eq!(state.check(now + seconds(560), &times), Check::Expired);
}

#[tokio::test]
async fn a_websocket_is_asked_and_must_answer() {
    let (mut state, times, now) = new();
    let (peer, _stream, _client) = peer().await;
    let (turn, _) = state.begin_websocket(peer, now, &times);
    assert_eq!(state.next_packet(turn).as_deref(), Some("1::"));
    state.wrote(turn);
    assert_eq!(state.check(now, &times), Check::Until(now + seconds(25)));
    assert_eq!(state.check(now + seconds(25), &times), Check::Until(now + seconds(85)));
    assert_eq!(state.next_packet(turn).as_deref(), Some("2::"));
    assert!(state.heartbeat(turn, now + seconds(80), &times));
    assert_eq!(state.check(now + seconds(80), &times), Check::Until(now + seconds(105)));
    assert!(!state.heartbeat(turn, now + seconds(81), &times), "nobody asked");
    assert_eq!(state.check(now + seconds(106), &times), Check::Until(now + seconds(166)));
    assert_eq!(state.check(now + seconds(166), &times), Check::Expired);
}

#[tokio::test]
async fn what_the_kernel_did_not_take_is_lost() {
    let (mut state, times, now) = new();
    let (peer, _stream, _client) = peer().await;
    let (turn, _) = state.begin_websocket(peer, now, &times);
    state.next_packet(turn).unwrap();
    assert_eq!(state.written(), Written::NotYet);
    state.wrote(turn);
    assert_eq!(state.written(), Written::Yes);
    put(&mut state, "a").unwrap();
    state.shut();
    assert_eq!((state.written(), state.next_packet(turn)), (Written::Never, None));
    assert_eq!((put(&mut state, "b"), state.phase), (Ok(false), Phase::Shut));
}

#[tokio::test]
async fn a_replaced_websocket_gets_nothing_and_its_end_is_no_end() {
    let (mut state, times, now) = new();
    let (peer, _stream, _client) = peer().await;
    let (websocket, wake) = state.begin_websocket(peer, now, &times);
    state.next_packet(websocket).unwrap();
    state.wrote(websocket);
    let (poll, _) = state.begin_poll(Kind::Xhr, now);
    wake.notified().await;
    put(&mut state, "a").unwrap();
    assert_eq!(state.next_packet(websocket), None);
    assert!(!state.is_current(websocket) && !state.heartbeat(websocket, now, &times));
    assert_eq!(state.answer_poll(poll, now), packets(&["1::", "a"]));
    state.shut();
    wake.notified().await;
}

#[test]
fn a_goodbye_is_the_last_packet_and_polling_proves_nothing_after_it() {
    let (mut state, _, now) = new();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    put(&mut state, "a").unwrap();
    state.leave();
    assert_eq!(put(&mut state, "b"), Ok(false));
    assert_eq!(state.answer_poll(turn, now), packets(&["1::", "a", "0::"]));
    assert_eq!(state.written(), Written::Never);
    let (mut state, _, now) = new();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    state.answer_poll(turn, now).unwrap();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    state.leave();
    assert_eq!(state.written(), Written::NotYet, "the answer to the goodbye is still to come");
    assert_eq!(state.answer_poll(turn, now), packets(&["0::"]));
    assert_eq!(state.written(), Written::Yes, "there was nothing to lose");
    state.shut();
    assert_eq!((state.answer_poll(turn, now), state.written()), (Some(Answer::Over), Written::Yes));
}

#[tokio::test]
async fn a_session_waits_for_its_goodbye_as_long_as_something_can_carry_it() {
    let (mut state, times, now) = new();
    let (peer, _stream, _client) = peer().await;
    let (turn, _) = state.begin_websocket(peer, now, &times);
    assert!(state.next_packet(turn).is_some() && !state.take_goodbye(turn));
    state.wrote(turn);
    state.leave();
    assert_eq!((state.written(), state.next_packet(turn)), (Written::NotYet, None));
    assert!(state.take_goodbye(turn));
    assert_eq!(state.written(), Written::NotYet);
    state.wrote(turn);
    assert_eq!(state.written(), Written::Yes);
    // A poll that was given up carries nothing.
    let (mut state, _, now) = new();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    state.answer_poll(turn, now).unwrap();
    let (turn, _) = state.begin_poll(Kind::Xhr, now);
    state.leave();
    state.end_poll(turn, now);
    assert_eq!(state.written(), Written::Yes);
}

#[test]
fn too_much_is_an_overrun() {
    let (mut state, _, _) = new();
    for packet in ["a", "b", "c"] {
        assert_eq!((state.has_room(), put(&mut state, packet)), (true, Ok(true)));
    }
    assert_eq!((state.has_room(), put(&mut state, "d")), (false, Err(Overrun)));
}
