//! Many users at once: signing up, connecting, signing in, a bounded number at a time.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::wire::Wire;

const SIGNUP_CONNECTIONS: usize = 16;
const CONNECTING_AT_ONCE: usize = 64;
const PASSWORD: &str = "bench-password";

/// A user that exists on the server.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: u64,
    username: String,
}

impl Account {
    /// Signs in on `client`.
    pub(crate) async fn sign_in(&self, client: &mut Client) -> Result<()> {
        if client.wire() == Wire::MumiChat {
            return client.log_in(&self.username, PASSWORD).await;
        }
        let credentials = json!({ "username": self.username, "password": PASSWORD });
        client.call("signin", &credentials).await?;
        Ok(())
    }

    /// Signs in on `client` as modern clients do; returns the reply.
    pub(crate) async fn sign_in_modern(&self, client: &mut Client) -> Result<Value> {
        let credentials = json!({ "username": self.username, "password": PASSWORD, "api": 2 });
        client.call("signin", &credentials).await
    }
}

/// Signs up `count` users over a few connections.
pub(crate) async fn sign_up(addr: SocketAddr, count: usize) -> Result<Vec<Account>> {
    let prefix = unique_prefix();
    let mut jobs = JoinSet::new();
    for first in 0..SIGNUP_CONNECTIONS.min(count) {
        let prefix = prefix.clone();
        jobs.spawn_local(async move {
            let mut client = Client::connect(addr).await?;
            let mut accounts = Vec::new();
            for number in (first..count).step_by(SIGNUP_CONNECTIONS) {
                // As long for every number, so that frames are, too.
                let username = format!("{prefix}{number:05}");
                let wish = json!({ "username": username, "password": PASSWORD });
                let reply = client.call("signup", &wish).await?;
                let id = reply["id"].as_u64().context("signup: no id in the reply")?;
                accounts.push((number, Account { id, username }));
            }
            anyhow::Ok(accounts)
        });
    }
    let mut accounts = Vec::with_capacity(count);
    while let Some(done) = jobs.join_next().await {
        accounts.extend(done??);
    }
    accounts.sort_by_key(|(number, _)| *number);
    Ok(accounts.into_iter().map(|(_, account)| account).collect())
}

/// A token for each account, in the accounts' order, from a sign-in that is over.
pub(crate) async fn tokens(addr: SocketAddr, accounts: &[Account]) -> Result<Vec<String>> {
    let turns = Arc::new(Semaphore::new(CONNECTING_AT_ONCE));
    let mut jobs = JoinSet::new();
    for (number, account) in accounts.iter().cloned().enumerate() {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        jobs.spawn_local(async move {
            let mut client = Client::connect(addr).await?;
            let reply = account.sign_in_modern(&mut client).await?;
            drop(turn);
            let token = reply["token"].as_str().context("signin: no token in the reply")?;
            anyhow::Ok((number, token.to_owned()))
        });
    }
    let mut tokens = Vec::with_capacity(accounts.len());
    while let Some(done) = jobs.join_next().await {
        tokens.push(done??);
    }
    tokens.sort_by_key(|(number, _)| *number);
    Ok(tokens.into_iter().map(|(_, token)| token).collect())
}

/// A connection for each account, signed in, in the accounts' order.
pub(crate) async fn sign_in(addr: SocketAddr, accounts: &[Account]) -> Result<Vec<Client>> {
    sign_in_over(Wire::SocketIo, addr, accounts).await
}

/// The same, as clients of `wire`.
pub(crate) async fn sign_in_over(wire: Wire, addr: SocketAddr, accounts: &[Account]) -> Result<Vec<Client>> {
    let accounts: Rc<[Account]> = accounts.into();
    connect(wire, addr, accounts.len(), Some(accounts)).await
}

/// `count` connections that nobody signs in on.
pub(crate) async fn connect_only(addr: SocketAddr, count: usize) -> Result<Vec<Client>> {
    connect(Wire::SocketIo, addr, count, None).await
}

async fn connect(wire: Wire, addr: SocketAddr, count: usize, accounts: Option<Rc<[Account]>>) -> Result<Vec<Client>> {
    let turns = Arc::new(Semaphore::new(CONNECTING_AT_ONCE));
    let mut jobs = JoinSet::new();
    for number in 0..count {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        let accounts = accounts.clone();
        jobs.spawn_local(async move {
            let mut client = Client::connect_over(wire, addr).await?;
            if let Some(account) = accounts.as_ref().and_then(|all| all.get(number)) {
                account.sign_in(&mut client).await?;
            }
            drop(turn);
            anyhow::Ok((number, client))
        });
    }
    let mut clients: Vec<Option<Client>> = (0..count).map(|_| None).collect();
    while let Some(done) = jobs.join_next().await {
        let (number, client) = done??;
        clients[number] = Some(client);
    }
    clients.into_iter().map(|client| client.ok_or_else(|| anyhow!("a connection is missing"))).collect()
}

/// Usernames that no run before had, as a database may be used again.
fn unique_prefix() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since_epoch.map_or(0, |elapsed| elapsed.as_millis());
    format!("u{:x}x{call:02}x", millis & 0xffff_ffff)
}
