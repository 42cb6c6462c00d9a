//! Password hashes: bcrypt, on threads of its own, a few at a time.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::error::{Error, Reason, Result};

/// bcrypt reads no further than this.
const BCRYPT_MAX_BYTES: usize = 72;
const MAX_BYTES: usize = 4096;

/// Makes and checks hashes. A storm of sign-ins waits here and delays nobody's messages.
pub(super) struct Hasher {
    cost: u32,
    running: Arc<Semaphore>,
    /// Places for those that run and those that wait.
    admitted: Semaphore,
    /// The hash of nobody's password, checked for users that do not exist, so that they take as long as others.
    decoy: String,
}

impl Hasher {
    /// At most `parallel` at the same time, while `waiting` others may wait.
    pub(super) fn new(cost: u32, parallel: usize, waiting: usize) -> Result<Self> {
        let decoy = bcrypt::hash("nobody has this password", cost).map_err(Error::internal)?;
        let (running, admitted) = (Arc::new(Semaphore::new(parallel)), Semaphore::new(parallel + waiting));
        Ok(Self { cost, running, admitted, decoy })
    }

    /// # Errors
    /// `Forbidden` if the secret is longer than 4096 bytes, `Unavailable` if too many others wait.
    pub(super) async fn hash(&self, secret: &str) -> Result<String> {
        if secret.len() > MAX_BYTES {
            return Err(Error::Forbidden(Reason::BadPassword));
        }
        let secret = prepared(secret);
        let cost = self.cost;
        self.run(move || bcrypt::hash(secret, cost)).await
    }

    /// Whether `secret` belongs to `hash`. Without a hash it takes as long and is false.
    ///
    /// # Errors
    /// `Unavailable` if too many others wait.
    pub(super) async fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool> {
        let fits = secret.len() <= MAX_BYTES && hash.is_some();
        let secret = prepared(if secret.len() <= MAX_BYTES { secret } else { "" });
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let matches = self.run(move || bcrypt::verify(secret, &hash)).await?;
        Ok(matches && fits)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T> {
        let _place = self.admitted.try_acquire().map_err(|_| Error::unavailable("too many passwords wait"))?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(Error::unavailable)?;
        let result = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        result.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

/// The bytes that bcrypt gets: the secret itself, or, where bcrypt would silently ignore a part of it (beyond 72
/// bytes, or after a NUL), its digest.
fn prepared(secret: &str) -> Vec<u8> {
    if secret.len() <= BCRYPT_MAX_BYTES && !secret.contains('\0') {
        return secret.as_bytes().to_vec();
    }
    BASE64_STANDARD.encode(Sha256::digest(secret.as_bytes())).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_passwords_count_to_their_end() {
        let hasher = Hasher::new(4, 1, 10).unwrap();
        let long = "x".repeat(100);
        let hash = hasher.hash(&long).await.unwrap();
        assert!(hasher.verify(&long, Some(&hash)).await.unwrap());
        for other in ["x".repeat(72), "x".repeat(99), format!("{long}y"), format!("{}\0", "x".repeat(100))] {
            assert!(!hasher.verify(&other, Some(&hash)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let hasher = Hasher::new(4, 1, 10).unwrap();
        assert!(!hasher.verify("nobody has this password", None).await.unwrap());
        assert!(hasher.hash(&"x".repeat(5000)).await.is_err());
        let hash = hasher.hash("").await.unwrap();
        assert!(!hasher.verify(&"x".repeat(5000), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let hasher = Hasher::new(4, 1, 2).unwrap();
        let _busy = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(hasher.hash("x"))).collect();
        let mut refused = 0;
        for hash in &mut waiting {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(hash.as_mut().poll(cx))).await;
            refused += usize::from(matches!(polled, std::task::Poll::Ready(Err(Error::Unavailable(_)))));
        }
        assert_eq!(refused, 1);
    }
}
