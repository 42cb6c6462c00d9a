//! Who is let in: TCP connections, and sessions of those transports where a session is more than one connection.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::warn;

use super::crowd::{Crowd, Full, Seat};
use crate::config::{Config, Switch};
use crate::limiter::Limiter;
use crate::metrics::Metrics;

/// The door, for all listeners and transports together.
#[derive(Clone)]
pub struct Admission(Arc<Inner>);

struct Inner {
    connections: Arc<Crowd>,
    sessions: Arc<Crowd>,
    /// New connections.
    rate: Option<Limiter>,
    trusted_proxies: Vec<IpAddr>,
    metrics: Arc<Metrics>,
}

impl Admission {
    /// With room for `max` connections, and for as many sessions.
    pub fn new(config: &Config, max: usize, metrics: Arc<Metrics>) -> Self {
        let crowd = || Crowd::new(max, config.connections_max_per_address);
        let rate = (config.rate_limit == Switch::On).then(|| Limiter::per_minute(config.rate_connections_per_minute));
        let trusted_proxies = config.trusted_proxies.iter().map(IpAddr::to_canonical).collect();
        Self(Arc::new(Inner { connections: crowd(), sessions: crowd(), rate, trusted_proxies, metrics }))
    }

    /// Whether `address` is a proxy that says truly for whom it speaks.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.trusted_proxies.contains(&address)
    }

    /// A place for a TCP connection from `peer`. One from a trusted proxy counts for whoever it speaks for, see
    /// [`speaks_for`](Self::speaks_for).
    ///
    /// # Errors
    /// [`Full`], which is counted and logged.
    pub fn connection(&self, peer: IpAddr) -> Result<Seat, Full> {
        if self.trusts(peer) {
            return self.noted(self.0.connections.seat(), peer);
        }
        let is_slow_enough = self.0.rate.as_ref().is_none_or(|rate| rate.take(crate::network::Network::from(peer)));
        let seat = if is_slow_enough { self.0.connections.seat_for(peer) } else { Err(Full::Rate) };
        self.noted(seat, peer)
    }

    /// A proxy's connection carries a request of a client at `address`: it counts for that one until it carries
    /// another's.
    ///
    /// # Errors
    /// [`Full::Address`], which is counted and logged.
    pub fn speaks_for(&self, seat: &Seat, address: IpAddr) -> Result<(), Full> {
        self.noted(seat.give_to(address), address)
    }

    /// A place for a session of a client at `address`.
    ///
    /// # Errors
    /// [`Full`], which is counted and logged.
    pub fn session(&self, address: IpAddr) -> Result<Seat, Full> {
        self.noted(self.0.sessions.seat_for(address), address)
    }

    /// How many TCP connections there are.
    pub fn connections(&self) -> usize {
        self.0.connections.len()
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.0.sessions.len()
    }

    fn noted<T>(&self, result: Result<T, Full>, address: IpAddr) -> Result<T, Full> {
        if let Err(full) = &result {
            self.0.metrics.turned_away(match full {
                Full::All => "all",
                Full::Address => "address",
                Full::Rate => "rate",
            });
            warn!(%address, reason = %full, "a client is turned away");
        }
        result
    }
}
