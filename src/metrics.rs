//! The figures of one server, as Prometheus text. Every `App` has its own registry, so that two servers in one
//! process do not count for each other.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

const LATENCY_BUCKETS_S: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const BATCH_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Handles to the figures that are counted on busy paths, and the registry for the others.
pub struct Metrics {
    recorder: PrometheusRecorder,
    pub events_delivered: Counter,
    pub messages_stored: Counter,
    pub commit_batch_size: Histogram,
    pub commit_seconds: Histogram,
    pub commit_failures: Counter,
    pub outbox_overflows: Counter,
    pub inbox_refusals: Counter,
    pub floods_ended: Counter,
    pub uploads: Counter,
    pub upload_bytes: Counter,
    pub files_removed: Counter,
    /// By name and code, so that the registry need not be searched for each command.
    commands: DashMap<(&'static str, u16), Command>,
}

/// The figures of one command with one code.
struct Command {
    count: Counter,
    seconds: Histogram,
}

impl Metrics {
    /// An empty registry.
    ///
    /// # Errors
    /// Never with the buckets above; the builder checks them.
    pub fn new() -> Result<Arc<Self>, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_BUCKETS_S)?
            .set_buckets_for_metric(Matcher::Suffix("_batch_size".into()), &BATCH_BUCKETS)?
            .build_recorder();
        with_local_recorder(&recorder, describe);
        let counter = |name: &'static str| with_local_recorder(&recorder, || counter!(name));
        let histogram = |name: &'static str| with_local_recorder(&recorder, || histogram!(name));
        Ok(Arc::new(Self {
            events_delivered: counter("nodeim_events_delivered_total"),
            messages_stored: counter("nodeim_messages_stored_total"),
            commit_batch_size: histogram("nodeim_commit_batch_size"),
            commit_seconds: histogram("nodeim_commit_seconds"),
            commit_failures: counter("nodeim_commit_failures_total"),
            outbox_overflows: counter("nodeim_outbox_overflows_total"),
            inbox_refusals: counter("nodeim_inbox_refusals_total"),
            floods_ended: counter("nodeim_floods_ended_total"),
            uploads: counter("nodeim_uploads_total"),
            upload_bytes: counter("nodeim_upload_bytes_total"),
            files_removed: counter("nodeim_files_removed_total"),
            commands: DashMap::new(),
            recorder,
        }))
    }

    /// Counts one command. `name` must come from a fixed list: every new name is kept for ever.
    pub fn command(&self, name: &'static str, code: u16, took: Duration) {
        let figures = |(name, code): &(&'static str, u16)| {
            with_local_recorder(&self.recorder, || Command {
                count: counter!("nodeim_commands_total", "command" => *name, "code" => code.to_string()),
                seconds: histogram!("nodeim_command_seconds", "command" => *name),
            })
        };
        let key = (name, code);
        let known = self
            .commands
            .get(&key)
            .unwrap_or_else(|| self.commands.entry(key).or_insert_with(|| figures(&key)).downgrade());
        known.count.increment(1);
        known.seconds.record(took);
    }

    /// Counts an upload that came to nothing. `reason` must come from a fixed list.
    pub fn upload_failed(&self, reason: String) {
        with_local_recorder(&self.recorder, || {
            counter!("nodeim_upload_failures_total", "reason" => reason).increment(1);
        });
    }

    /// Counts somebody for whom there was no room. `reason` must come from a fixed list.
    pub fn turned_away(&self, reason: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("nodeim_turned_away_total", "reason" => reason).increment(1);
        });
    }

    /// Another figure that goes up and down.
    pub fn gauge(&self, name: &'static str) -> Gauge {
        with_local_recorder(&self.recorder, || gauge!(name))
    }

    /// The number of open connections over `transport`.
    pub fn connections(&self, transport: &'static str) -> Gauge {
        with_local_recorder(&self.recorder, || gauge!("nodeim_connections", "transport" => transport))
    }

    /// All figures as Prometheus text.
    pub fn render(&self) -> String {
        self.recorder.handle().render()
    }

    /// Sorts what the histograms have gathered into their buckets. Between two calls they keep every value.
    pub fn tidy(&self) {
        self.recorder.handle().run_upkeep();
    }
}

fn describe() {
    describe_gauge!("nodeim_connections", "Open connections by transport.");
    describe_gauge!("nodeim_tcp_connections", "Open TCP connections, whatever they are used for.");
    describe_gauge!("nodeim_socketio_sessions", "Sessions of Socket.IO, also those that are not in use yet.");
    describe_counter!("nodeim_turned_away_total", "Connections and sessions for which there was no room, by reason.");
    describe_counter!("nodeim_floods_ended_total", "Connections closed for going on with commands that were refused.");
    describe_counter!("nodeim_commands_total", "Commands by name and reply code.");
    describe_histogram!("nodeim_command_seconds", "Time from a command's start to its reply.");
    describe_counter!("nodeim_events_delivered_total", "Events handed to connections.");
    describe_counter!("nodeim_messages_stored_total", "Messages committed.");
    describe_histogram!("nodeim_commit_batch_size", "Messages in one commit.");
    describe_histogram!("nodeim_commit_seconds", "Time of one commit, its statements included.");
    describe_counter!("nodeim_commit_failures_total", "Commits that failed.");
    describe_counter!("nodeim_outbox_overflows_total", "Connections closed for not reading.");
    describe_counter!("nodeim_uploads_total", "Files taken in.");
    describe_counter!("nodeim_upload_bytes_total", "Bytes of the files taken in.");
    describe_counter!("nodeim_upload_failures_total", "Uploads that came to nothing, by reason.");
    describe_counter!("nodeim_files_removed_total", "Files removed because nothing referred to them.");
    describe_counter!(
        "nodeim_inbox_refusals_total",
        "Commands refused: they came too fast, or to a connection that was closing."
    );
}
