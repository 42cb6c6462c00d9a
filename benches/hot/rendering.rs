//! From an event to the frame that all its recipients share, and from the frame to one recipient's text.

use divan::Bencher;
use nodeim::chat::event::Event;
use nodeim::chat::ids::UserId;
use nodeim::chat::presence::Presence;
use nodeim::dialect::nodeim::{MODERN_RENDERER, RENDERER};
use nodeim::hub::Renderer;

use crate::samples::{direct, in_room, person, room};

static RENDERERS: [(&str, &dyn Renderer); 2] = [("2013", &RENDERER), ("modern", &MODERN_RENDERER)];

fn names() -> impl Iterator<Item = &'static str> {
    RENDERERS.iter().map(|(name, _)| *name)
}

#[divan::bench(args = names())]
fn direct_message(bencher: Bencher<'_, '_>, renderer: &str) {
    bench(bencher, renderer, &direct(&person()));
}

#[divan::bench(args = names())]
fn room_message(bencher: Bencher<'_, '_>, renderer: &str) {
    bench(bencher, renderer, &in_room(&person(), &room(), 1));
}

#[divan::bench(args = names())]
fn presence(bencher: Bencher<'_, '_>, renderer: &str) {
    bench(bencher, renderer, &Event::Presence { user: UserId(7), presence: Presence::online() });
}

/// What is done for each recipient: their own id is put in.
#[divan::bench]
fn for_one_recipient(bencher: Bencher<'_, '_>) {
    let frame = RENDERER.render(&in_room(&person(), &room(), 1)).expect("clients of 2013 have a word for messages");
    let mut text = String::new();
    bencher.bench_local(|| {
        text.clear();
        divan::black_box(&frame).write_for(UserId(9), &mut text);
        text.len()
    });
}

fn bench(bencher: Bencher<'_, '_>, name: &str, event: &Event) {
    let (_, renderer) = RENDERERS.iter().find(|(known, _)| *known == name).expect("the names come from there");
    bencher.bench_local(|| renderer.render(divan::black_box(event)));
}
