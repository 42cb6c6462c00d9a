//! nodeim: one chat server that old and new clients reach unchanged.
//!
//! ```text
//! client -> transport -> dialect -> chat -> store          a command goes right
//! client <- transport <- dialect <- hub  <- chat           an event comes back left
//!                                    |
//!                                   bus  <-> other nodes
//! ```
//!
//! - [`transport`] turns bytes into (event name, JSON, reply slot) and back,
//! - [`dialect`] speaks one wire: decodes a command, calls `chat` once, encodes the reply, renders events,
//! - [`chat`] is the domain: rules, permissions, what an event is and whom it concerns,
//! - [`store`] keeps it, message first on disk, then to people,
//! - [`blobs`] keeps the bytes of files on disk, and looks at what they are,
//! - [`hub`] knows who is connected here and hands events to them,
//! - [`http`] is the router around it all; [`app`] builds the parts and shuts them down in order.

pub mod app;
pub mod blobs;
pub mod chat;
mod clock;
pub mod config;
mod descriptors;
pub mod dialect;
pub mod http;
pub mod hub;
mod limiter;
pub mod logging;
pub mod metrics;
mod network;
pub mod store;
pub mod transport;
