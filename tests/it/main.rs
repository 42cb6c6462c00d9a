//! A real server for each test, driven through its sockets: what the contract promises, and what it refuses.
//!
//! `cargo test --test it` runs on SQLite, `scripts/with-postgres.sh cargo test --test it` on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall end where it stands")]

mod support;

mod accounts;
mod amending;
mod attachments;
mod attention;
mod attributes;
mod backup;
mod blocks;
mod devices;
mod envelope;
mod files;
mod find;
mod friends;
mod history;
mod hostile;
mod http;
mod interop;
mod junk;
mod lifecycle;
mod limits;
mod listeners;
mod log;
mod markup;
mod messages;
mod moderation;
mod mumichat;
mod not_signed_in;
mod offline;
mod order;
mod people;
mod pictures;
mod presence;
mod profile;
mod repeats;
mod resume;
mod retrieve;
mod rooms;
mod search;
mod secrets;
mod sessions;
mod siege;
mod slow;
mod socketio09;
mod statements;
mod story;
mod tls;
mod transports;
mod upload_panel;
mod uploads;
