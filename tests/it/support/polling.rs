//! A Socket.IO client over HTTP long polling, as raw as it gets.

use std::net::SocketAddr;

use reqwest::StatusCode;

use super::{Revision, within};

/// One session.
pub(crate) struct Polling {
    http: reqwest::Client,
    url: String,
    revision: Revision,
    /// Every response, as it came.
    pub(crate) bodies: Vec<String>,
}

impl Polling {
    /// Opens a session and enters the main namespace.
    pub(crate) async fn connect(address: SocketAddr, revision: Revision) -> Self {
        let eio = if revision == Revision::V3 { 3 } else { 4 };
        let url = format!("http://{address}/socket.io/?EIO={eio}&transport=polling&b64=1");
        let mut session = Self { http: reqwest::Client::new(), url, revision, bodies: Vec::new() };
        let mut packets = session.poll().await;
        let open: serde_json::Value = serde_json::from_str(packets.remove(0).strip_prefix('0').unwrap()).unwrap();
        session.url += &format!("&sid={}", open["sid"].as_str().unwrap());
        if revision == Revision::V4 {
            session.post("40").await;
        }
        while !packets.iter().any(|packet| packet.starts_with("40")) {
            packets = session.poll().await;
        }
        session
    }

    /// Sends one packet.
    pub(crate) async fn post(&self, packet: &str) {
        assert_eq!(self.try_post(packet).await, Some(StatusCode::OK));
    }

    /// The same; nothing if the server hangs up.
    pub(crate) async fn try_post(&self, packet: &str) -> Option<StatusCode> {
        let body = match self.revision {
            Revision::V3 => format!("{}:{packet}", packet.encode_utf16().count()),
            Revision::V4 => packet.to_owned(),
        };
        self.try_post_as_it_is(&body).await
    }

    /// Sends a body that need not be a packet.
    pub(crate) async fn try_post_as_it_is(&self, body: &str) -> Option<StatusCode> {
        let request = self.http.post(&self.url).header("content-type", "text/plain;charset=UTF-8");
        within("a POST", request.body(body.to_owned()).send()).await.ok().map(|response| response.status())
    }

    /// What the server has for this client; waits for it.
    pub(crate) async fn poll(&mut self) -> Vec<String> {
        self.try_poll().await.unwrap()
    }

    /// The same; nothing if the server hangs up or refuses.
    pub(crate) async fn try_poll(&mut self) -> Option<Vec<String>> {
        let response = within("a poll", self.http.get(&self.url).send()).await.ok()?;
        let response = Some(response).filter(|response| response.status() == StatusCode::OK)?;
        let body = response.text().await.unwrap();
        let packets = match self.revision {
            Revision::V3 => split_counted(&body),
            Revision::V4 => body.split('\u{1e}').map(str::to_owned).collect(),
        };
        self.bodies.push(body);
        Some(packets)
    }

    /// Path and query of this session's requests.
    pub(crate) fn path(&self) -> &str {
        &self.url[self.url.find("/socket.io").unwrap()..]
    }

    pub(crate) fn sid(&self) -> &str {
        self.url.rsplit('=').next().unwrap()
    }

    /// Polls until a packet begins with `start`; returns what follows there.
    pub(crate) async fn until(&mut self, start: &str) -> String {
        loop {
            let packets = self.poll().await;
            if let Some(rest) = packets.iter().find_map(|packet| packet.strip_prefix(start)) {
                return rest.to_owned();
            }
        }
    }
}

/// `<count>:<packet>`, one after the other.
fn split_counted(mut body: &str) -> Vec<String> {
    let mut packets = Vec::new();
    while let Some((count, rest)) = body.split_once(':') {
        let count: usize = count.parse().unwrap();
        let end = rest.char_indices().nth(count).map_or(rest.len(), |(end, _)| end);
        packets.push(rest[..end].to_owned());
        body = &rest[end..];
    }
    packets
}
