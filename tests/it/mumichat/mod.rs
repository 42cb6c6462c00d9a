//! MumiChat over raw websockets, row by row of its contract.

mod accounts;
mod framing;
mod hostile;
mod messages;
mod people;
