//! Servers to compare with. They know as much of nodeim's wire as the scenarios need, and keep
//! everything in memory. Those for Node are in `peers/node`.

pub(crate) mod bare;
pub(crate) mod node;
pub(crate) mod raw;
mod wire;

use std::net::SocketAddr;

use anyhow::Result;
use tokio::net::{TcpListener, TcpSocket};

const LISTEN_QUEUE: u32 = 4096;

/// Not with the library's queue of 128: when it is full, the kernel makes clients wait for seconds.
fn bind(addr: SocketAddr) -> Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket.listen(LISTEN_QUEUE)?)
}
