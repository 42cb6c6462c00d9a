//! The hot pieces, each alone: what a command costs before it means anything, an event before it is sent, a message on
//! its way to disk, and a fan-out without its sockets. `cargo bench` runs all of it, `cargo bench -- hub` one part.

mod batcher;
mod decoding;
mod hub;
mod rendering;
mod samples;

fn main() {
    divan::main();
}
