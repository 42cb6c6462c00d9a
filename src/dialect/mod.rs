//! One folder per wire, named after the server that it speaks for. A dialect decodes a command, calls the core
//! once, encodes the reply, and renders events; its old server's quirks, codes and texts live here.

pub mod mumichat;
pub mod nodeim;
