//! Servers to compare with. They know as much of nodeim's wire as the scenarios need, and keep
//! everything in memory.

pub(crate) mod bare;
