//! Sessions that were promised by a handshake, and that no client has opened yet.
//!
//! A promise is an id and a time, no more: whoever asks for thousands and opens none gets little of this server.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::time::Instant;

use crate::network::Network;
use crate::transport::crowd::Seat;

/// The identity of a session: text that nobody can guess, fit for a URL and without `:`.
pub(super) type Sid = Arc<str>;

/// Random bytes in an id.
const SID_BYTES: usize = 18;

/// More than so many at once are a storm.
const KEPT_CAPACITY: usize = 64;

/// Why there is no new id.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("too many sessions wait to be opened")]
    Full,
    #[error("no random numbers: {0}")]
    NoRandom(getrandom::Error),
}

/// All ids that were given out and not used yet. Old server: for 30 s each.
pub(super) struct Waiting {
    lifetime: Duration,
    max: usize,
    max_per_address: usize,
    next: u64,
    /// From the oldest to the newest.
    queue: BTreeMap<u64, Promise>,
    numbers: HashMap<Sid, u64>,
    addresses: HashMap<Network, usize>,
}

struct Promise {
    sid: Sid,
    address: Network,
    seat: Seat,
    expires: Instant,
}

impl Waiting {
    pub(super) fn new(lifetime: Duration, max: usize, max_per_address: usize) -> Self {
        let (queue, numbers, addresses) = Default::default();
        Self { lifetime, max, max_per_address, next: 0, queue, numbers, addresses }
    }

    /// A new id for a client at `address`, who has this place among all sessions.
    ///
    /// # Errors
    /// [`Refusal::Full`] if too many wait already, in all or from there.
    pub(super) fn promise(&mut self, address: IpAddr, seat: Seat, now: Instant) -> Result<Sid, Refusal> {
        self.expire(now);
        let address = Network::from(address);
        let from_there = self.addresses.get(&address).copied().unwrap_or_default();
        if self.queue.len() >= self.max || from_there >= self.max_per_address {
            return Err(Refusal::Full);
        }
        let mut random = [0; SID_BYTES];
        getrandom::fill(&mut random).map_err(Refusal::NoRandom)?;
        let sid: Sid = BASE64_URL_SAFE_NO_PAD.encode(random).into();
        let number = self.next;
        self.next += 1;
        self.numbers.insert(Arc::clone(&sid), number);
        self.queue.insert(number, Promise { sid: Arc::clone(&sid), address, seat, expires: now + self.lifetime });
        self.addresses.insert(address, from_there + 1);
        Ok(sid)
    }

    /// Takes an id out, to be opened, with its place. Nothing if it is not one of these, or no longer.
    pub(super) fn redeem(&mut self, sid: &str, now: Instant) -> Option<(Sid, Seat)> {
        self.expire(now);
        let number = *self.numbers.get(sid)?;
        self.remove(number).map(|promise| (promise.sid, promise.seat))
    }

    /// Forgets what is too old. How long until the next one is; nothing if none is left.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Duration> {
        while let Some((&number, promise)) = self.queue.first_key_value() {
            if promise.expires > now {
                return Some(promise.expires - now);
            }
            self.remove(number);
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn clear(&mut self) {
        (self.queue, self.numbers, self.addresses) = Default::default();
    }

    fn remove(&mut self, number: u64) -> Option<Promise> {
        let promise = self.queue.remove(&number)?;
        self.numbers.remove(&promise.sid);
        if let Some(count) = self.addresses.get_mut(&promise.address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&promise.address);
            }
        }
        // Room for a storm is given back after it.
        if self.queue.is_empty() && self.numbers.capacity() > KEPT_CAPACITY {
            (self.numbers, self.addresses) = Default::default();
        }
        Some(promise)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::transport::crowd::Crowd;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn waiting() -> (Waiting, Instant) {
        (Waiting::new(Duration::from_secs(30), 5, 3), Instant::now())
    }

    fn seat() -> Seat {
        Crowd::new(1, 1).seat().unwrap()
    }

    #[test]
    fn an_id_is_redeemed_once_and_in_time() {
        let (mut waiting, now) = waiting();
        let one = waiting.promise(HERE, seat(), now).unwrap();
        let other = waiting.promise(HERE, seat(), now).unwrap();
        let mut redeem = |sid: &str, s| waiting.redeem(sid, now + Duration::from_secs(s)).map(|(sid, _)| sid);
        assert_eq!(redeem(&one, 29), Some(Arc::clone(&one)));
        assert_eq!(redeem(&one, 29), None);
        assert_eq!(redeem(&other, 30), None);
        assert_eq!(redeem("invented", 0), None);
    }

    #[test]
    fn there_is_a_limit_for_one_and_for_all_and_what_expires_makes_room() {
        let (mut waiting, now) = waiting();
        let full = |result| matches!(result, Err(Refusal::Full));
        let here: Vec<_> = (0..3).map(|_| waiting.promise(HERE, seat(), now).unwrap()).collect();
        assert!(full(waiting.promise(HERE, seat(), now)));
        for _ in 0..2 {
            waiting.promise(THERE, seat(), now).unwrap();
        }
        assert!(full(waiting.promise(THERE, seat(), now)));
        assert!(waiting.redeem(&here[1], now).is_some());
        waiting.promise(HERE, seat(), now).unwrap();
        assert_eq!(waiting.expire(now), Some(Duration::from_secs(30)));
        assert_eq!(waiting.expire(now + Duration::from_secs(30)), None);
        assert!(waiting.numbers.is_empty() && waiting.addresses.is_empty());
    }

    #[test]
    fn ids_are_long_all_different_and_fit_for_a_url() {
        let mut waiting = Waiting::new(Duration::from_secs(30), 1000, 1000);
        let sids: HashSet<Sid> = (0..1000).map(|_| waiting.promise(HERE, seat(), Instant::now()).unwrap()).collect();
        assert_eq!(sids.len(), 1000);
        assert!(sids.iter().all(|sid| sid.len() == 24));
        assert!(sids.iter().flat_map(|sid| sid.chars()).all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }
}
