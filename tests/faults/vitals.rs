//! What a process takes, as the kernel tells, and what the server says of itself.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::StatusCode;

use crate::support::{Process, within};

/// One server.
#[derive(Debug, Clone)]
pub(crate) struct Vitals {
    proc: PathBuf,
    address: SocketAddr,
}

impl Vitals {
    pub(crate) fn of(process: &Process) -> Self {
        Self { proc: PathBuf::from(format!("/proc/{}", process.child.id())), address: process.address }
    }

    /// Bytes of memory of its own that it holds: neither files that it reads, nor what it shares.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc.join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Its open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(self.proc.join("fd")).unwrap().count()
    }

    /// Whether it holds a descriptor of the connection with `peer`.
    pub(crate) fn holds(&self, peer: SocketAddr) -> bool {
        let open: HashSet<_> = fs::read_dir(self.proc.join("fd"))
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()?.to_str().map(str::to_owned))
            .collect();
        let sockets = fs::read_to_string(self.proc.join("net/tcp")).unwrap();
        sockets.lines().skip(1).any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let has_port = |address: &str, port| address.ends_with(&format!(":{port:04X}"));
            has_port(fields[1], self.address.port())
                && has_port(fields[2], peer.port())
                && open.contains(&format!("socket:[{}]", fields[9]))
        })
    }

    /// The value of the figure whose line begins with `series`; 0 if there is none yet.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().unwrap()).unwrap_or_default()
    }

    /// The sum of all figures of the metric `name`, whatever their labels.
    pub(crate) async fn sum(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(of_name).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// What `/healthz` answers.
    pub(crate) async fn health(&self) -> StatusCode {
        self.get("/healthz").await.0
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let get = async {
            let response = reqwest::get(format!("http://{}{path}", self.address)).await.unwrap();
            (response.status(), response.text().await.unwrap())
        };
        within(path, get).await
    }
}
