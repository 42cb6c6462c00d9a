//! All sessions: those that were promised, and those that are open.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::session::Session;
use super::times::Times;
use super::waiting::{Refusal, Sid, Waiting};
use crate::chat::Ending;
use crate::config::Config;
use crate::hub::Port;
use crate::transport::Connections;
use crate::transport::admission::Admission;
use crate::transport::crowd::Seat;

/// Sessions by their id.
pub(super) struct Sessions {
    open: DashMap<Sid, Arc<Session>>,
    waiting: Mutex<Waiting>,
    max_open: usize,
    admission: Admission,
    times: Times,
    tasks: TaskTracker,
    /// Nothing is opened any more.
    ended: CancellationToken,
}

impl Sessions {
    pub(super) fn new(config: &Config, admission: Admission, tasks: TaskTracker) -> Self {
        let lifetime = Duration::from_millis(config.connect_timeout_ms);
        let (max, max_per_address) = (config.sio09_handshakes_max, config.sio09_handshakes_per_address);
        Self {
            open: DashMap::new(),
            waiting: Mutex::new(Waiting::new(lifetime, max, max_per_address)),
            max_open: config.sio09_sessions_max,
            admission,
            times: Times::of(config),
            tasks,
            ended: CancellationToken::new(),
        }
    }

    /// A new id.
    ///
    /// # Errors
    /// [`Refusal::Full`] if there are too many sessions, or too many promised ones.
    pub(super) fn promise(self: &Arc<Self>, address: IpAddr) -> Result<Sid, Refusal> {
        if self.open.len() >= self.max_open {
            return Err(Refusal::Full);
        }
        let seat = self.admission.session(address).map_err(|_| Refusal::Full)?;
        let mut waiting = self.waiting.lock();
        let was_empty = waiting.is_empty();
        let sid = waiting.promise(address, seat, Instant::now())?;
        if was_empty {
            self.tasks.spawn(Arc::clone(self).expire());
        }
        Ok(sid)
    }

    /// Forgets promises in time, as long as there are any.
    async fn expire(self: Arc<Self>) {
        loop {
            let next = self.waiting.lock().expire(Instant::now());
            let Some(pause) = next else {
                return;
            };
            if self.ended.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// The session with this id, which is made if it was promised; and whether it was.
    pub(super) fn find_or_open(
        &self,
        sid: &str,
        make: impl FnOnce(Sid, Seat) -> Session,
    ) -> Option<(Arc<Session>, bool)> {
        if let Some(session) = self.find(sid) {
            return Some((session, false));
        }
        // Held until it is there for others: two requests may come at once.
        let mut waiting = self.waiting.lock();
        let Some((sid, seat)) = waiting.redeem(sid, Instant::now()) else {
            drop(waiting);
            return self.find(sid).map(|session| (session, false));
        };
        let session = Arc::new(make(Arc::clone(&sid), seat));
        self.open.insert(sid, Arc::clone(&session));
        Some((session, true))
    }

    /// The session with this id, if it is open.
    pub(super) fn find(&self, sid: &str) -> Option<Arc<Session>> {
        self.open.get(sid).map(|session| Arc::clone(&session)).filter(|session| !session.is_shut())
    }

    pub(super) fn remove(&self, sid: &Sid) {
        self.open.remove(sid);
    }
}

impl Connections for Sessions {
    fn close_inboxes(&self) {
        for session in &self.open {
            session.inbox.close(Ending::Orderly);
        }
    }

    fn is_quiet(&self) -> bool {
        self.open.iter().all(|session| session.is_shut())
    }

    fn cut(&self) {
        for session in &self.open {
            session.close();
        }
        self.waiting.lock().clear();
        self.ended.cancel();
    }

    fn count(&self) -> Vec<(&'static str, usize)> {
        ["websocket09", "xhr09", "jsonp09"]
            .map(|name| (name, self.open.iter().filter(|session| session.state().transport() == name).count()))
            .into()
    }

    fn unnoticed(&self) -> Duration {
        if self.open.is_empty() { Duration::ZERO } else { self.times.unnoticed() }
    }
}
