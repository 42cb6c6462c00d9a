//! How many are here at the same time: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::network::Network;

/// A crowd of more addresses than this is given its memory back when it has gone.
const KEPT_CAPACITY: usize = 1024;

/// A count of those who are here, with limits.
#[derive(Debug)]
pub struct Crowd {
    max: usize,
    max_per_address: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    networks: HashMap<Network, usize>,
}

/// Why somebody finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("too many connections in all")]
    All,
    #[error("too many connections from one address")]
    Address,
    #[error("too many new connections from one address")]
    Rate,
}

/// One of those who are here, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    crowd: Arc<Crowd>,
    network: Mutex<Option<Network>>,
}

impl Crowd {
    pub(crate) fn new(max: usize, max_per_address: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_address, counts: Mutex::default() })
    }

    /// A place that counts in all, and for no address yet.
    ///
    /// # Errors
    /// [`Full::All`].
    pub(crate) fn seat(self: &Arc<Self>) -> Result<Seat, Full> {
        let mut counts = self.counts.lock();
        if counts.all >= self.max {
            return Err(Full::All);
        }
        counts.all += 1;
        Ok(Seat { crowd: Arc::clone(self), network: Mutex::new(None) })
    }

    /// A place for somebody at `address`.
    ///
    /// # Errors
    /// [`Full::All`], or [`Full::Address`] if too many from there are here.
    pub(crate) fn seat_for(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let seat = self.seat()?;
        seat.give_to(address)?;
        Ok(seat)
    }

    /// How many are here.
    pub(crate) fn len(&self) -> usize {
        self.counts.lock().all
    }
}

impl Seat {
    /// From now on it counts for `address`, and no more for the one before.
    ///
    /// # Errors
    /// [`Full::Address`]; then it counts for nobody.
    pub(crate) fn give_to(&self, address: IpAddr) -> Result<(), Full> {
        let network = Network::from(address);
        let mut current = self.network.lock();
        if *current == Some(network) {
            return Ok(());
        }
        let mut counts = self.crowd.counts.lock();
        counts.release(current.take());
        let here = counts.networks.entry(network).or_default();
        if *here >= self.crowd.max_per_address {
            return Err(Full::Address);
        }
        *here += 1;
        *current = Some(network);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts.lock();
        counts.all -= 1;
        counts.release(self.network.get_mut().take());
    }
}

impl Counts {
    fn release(&mut self, network: Option<Network>) {
        let Some(network) = network else {
            return;
        };
        if let Some(here) = self.networks.get_mut(&network) {
            *here -= 1;
            if *here == 0 {
                self.networks.remove(&network);
            }
        }
        if self.networks.is_empty() && self.networks.capacity() > KEPT_CAPACITY {
            self.networks = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    #[test]
    fn places_are_limited_for_one_and_for_all_and_come_back() {
        let crowd = Crowd::new(4, 2);
        let mut here = vec![crowd.seat_for(address(1)).unwrap(), crowd.seat_for(address(1)).unwrap()];
        assert_eq!(crowd.seat_for(address(1)).unwrap_err(), Full::Address);
        assert_eq!(crowd.len(), 2);
        here.push(crowd.seat_for(address(2)).unwrap());
        here.push(crowd.seat().unwrap());
        assert_eq!(crowd.seat_for(address(3)).unwrap_err(), Full::All);
        here.remove(0);
        here.push(crowd.seat_for(address(1)).unwrap());
        drop(here);
        assert_eq!((crowd.len(), crowd.counts.lock().networks.len()), (0, 0));
    }

    #[test]
    fn a_place_can_change_hands() {
        let crowd = Crowd::new(10, 1);
        let (one, other) = (crowd.seat().unwrap(), crowd.seat().unwrap());
        assert_eq!(one.give_to(address(1)), Ok(()));
        assert_eq!(one.give_to(address(1)), Ok(()));
        assert_eq!(other.give_to(address(1)), Err(Full::Address));
        assert_eq!(one.give_to(address(2)), Ok(()));
        assert_eq!(other.give_to(address(1)), Ok(()));
        assert_eq!(other.give_to(address(2)), Err(Full::Address));
        // It has lost the one that it had.
        assert_eq!(crowd.seat_for(address(1)).map(drop), Ok(()));
        drop((one, other));
        assert_eq!((crowd.len(), crowd.counts.lock().networks.len()), (0, 0));
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let crowd = Crowd::new(10, 1);
        let neighbour = |n| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        let _one = crowd.seat_for(neighbour(1)).unwrap();
        assert_eq!(crowd.seat_for(neighbour(2)).unwrap_err(), Full::Address);
    }
}
