//! Servers to compare with. They know as much of nodeim's wire as the scenarios need, and keep
//! everything in memory. Those for Node are in `peers/node`.

pub(crate) mod bare;
pub(crate) mod node;
pub(crate) mod raw;
mod wire;
