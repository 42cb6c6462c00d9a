//! What modern clients add to nodeim's wire: further commands, and events in other words for who opts for them.
//! `docs/protocol/nodeim-modern.md` is the description.

pub(super) mod amending;
pub(super) mod attention;
pub(super) mod lists;
mod message;
pub(super) mod people;
mod place;
mod render;
pub(super) mod rooms;
pub(super) mod sessions;

pub use render::RENDERER;
