//! People as somebody in particular sees them.

use std::collections::HashSet;
use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::Person;
use super::ids::UserId;
use super::presence::Presence;
use super::user::User;

/// People that can be looked up at once.
const MAX_LOOKED_UP: usize = 200;

impl Chat {
    /// The people with these ids who exist, ordered by id.
    ///
    /// # Errors
    /// `Invalid` for more than 200.
    pub async fn look_up(&self, me: UserId, ids: &[UserId]) -> Result<Vec<Person>> {
        if ids.len() > MAX_LOOKED_UP {
            return Err(Error::Invalid(Reason::TooMany));
        }
        self.people(me, ids).await
    }

    /// The people with these ids as `viewer` sees them, ordered by id, without those who do not exist.
    pub(super) async fn people(&self, viewer: UserId, ids: &[UserId]) -> Result<Vec<Person>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let users = self.store.users(&ids).await?;
        self.people_for(Some(viewer), users.into_iter().map(Arc::new)).await
    }

    /// `users` as `viewer` sees them, or a stranger. Who has blocked the viewer seems to be away.
    pub(super) async fn people_for(
        &self,
        viewer: Option<UserId>,
        users: impl IntoIterator<Item = Arc<User>>,
    ) -> Result<Vec<Person>> {
        let users: Vec<_> = users.into_iter().collect();
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let hiding = match viewer {
            Some(viewer) => self.store.blockers(viewer, &ids).await?,
            None => HashSet::new(),
        };
        let person = |user: Arc<User>| match hiding.contains(&user.id) {
            true => Person { user, presence: Presence::offline() },
            false => self.person(user),
        };
        Ok(users.into_iter().map(person).collect())
    }
}
