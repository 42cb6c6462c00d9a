//! From the text of a Socket.IO event to a command's name and parameters.

use divan::Bencher;
use divan::counter::BytesCount;
use nodeim::dialect::nodeim::envelope::{Sender, open};
use nodeim::transport::socketio::packet::decode;
use socketioxide_core::{Str, Value as Packet};

use crate::samples::TEXT;

/// With an acknowledgement: the argument is the parameters.
#[divan::bench]
fn bare(bencher: Bencher<'_, '_>) {
    bench(bencher, format!(r#"["message",{{"to":9,"message":"{TEXT}"}}]"#));
}

/// In the envelope of 2013.
#[divan::bench]
fn enveloped(bencher: Bencher<'_, '_>) {
    bench(bencher, format!(r#"["message",{{"id":7,"data":{{"to":9,"message":"{TEXT}"}}}}]"#));
}

fn bench(bencher: Bencher<'_, '_>, text: String) {
    let bytes = text.len();
    let packet = Packet::Str(Str::from(text), None);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let (name, argument) = decode(divan::black_box(&packet), false);
        (name, argument.map(|argument| open(argument, Sender::Other)))
    });
}
