//! The last sequence number of conversations, as far as this process knows it.
//!
//! Remembered, a conversation's number need not be read before it is moved on. Another node may have moved it
//! meanwhile: then the update finds less to change than it should, and the transaction is run again with fresh ones.

use std::collections::{BTreeMap, HashMap};

use sqlx::{AssertSqlSafe, Row};

use crate::chat::ids::ConversationId;
use crate::store::pool::Transaction;
use crate::store::rows::{Marker, Template, placeholders, runs};

/// Past it everything is forgotten and read anew.
const MAX_REMEMBERED: usize = 100_000;

static MOVE_ON: Template = Template::new(3, |values| {
    format!(
        "update conversations set last_seq = v.column3 from (values {values}) as v
         where conversations.id = v.column1 and conversations.last_seq = v.column2"
    )
});

#[derive(Default)]
pub(super) struct LastSeqs {
    known: HashMap<ConversationId, i64>,
    /// What the transaction under way has written.
    pending: Vec<(ConversationId, i64)>,
}

impl LastSeqs {
    /// Moves the number of each conversation on by how often it is named. Returns the first new number of each; one
    /// that does not exist is missing. `None` if what was remembered is out of date.
    pub(super) async fn reserve(
        &mut self,
        connection: &mut Transaction,
        conversations: impl Iterator<Item = ConversationId>,
    ) -> sqlx::Result<Option<HashMap<ConversationId, i64>>> {
        // In order of their ids, so that nodes do not lock each other out.
        let mut counts = BTreeMap::new();
        for conversation in conversations {
            *counts.entry(conversation).or_insert(0_i64) += 1;
        }
        self.read_unknown(connection, counts.keys()).await?;
        let moves: Vec<_> = counts
            .into_iter()
            .filter_map(|(conversation, count)| Some((conversation, *self.known.get(&conversation)?, count)))
            .collect();

        let marker = Marker::of(connection);
        for run in runs(&moves, marker.longest(3)) {
            let text = AssertSqlSafe(MOVE_ON.text(marker, run.len()));
            let query = run.iter().fold(sqlx::query(text), |query, (conversation, last, count)| {
                query.bind(conversation.0).bind(*last).bind(last + count)
            });
            if query.execute(&mut *connection).await?.rows_affected() != run.len() as u64 {
                return Ok(None);
            }
        }
        self.pending = moves.iter().map(|(conversation, last, count)| (*conversation, last + count)).collect();
        Ok(Some(moves.into_iter().map(|(conversation, last, _)| (conversation, last + 1)).collect()))
    }

    /// The transaction is committed: what it wrote holds.
    pub(super) fn committed(&mut self) {
        if self.known.len() > MAX_REMEMBERED {
            self.known.clear();
        }
        self.known.extend(self.pending.drain(..));
    }

    /// The transaction failed, or it is not known whether it did: everything is read anew.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.pending.clear();
    }

    async fn read_unknown(
        &mut self,
        connection: &mut Transaction,
        conversations: impl Iterator<Item = &ConversationId>,
    ) -> sqlx::Result<()> {
        let unknown: Vec<_> = conversations.filter(|id| !self.known.contains_key(id)).copied().collect();
        for run in runs(&unknown, Marker::Dollar.longest(1)) {
            let list = placeholders(1, run.len());
            let text = format!("select id, last_seq from conversations where id in {list}");
            let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, id| query.bind(id.0));
            for row in &query.fetch_all(&mut *connection).await? {
                self.known.insert(ConversationId(row.try_get(0)?), row.try_get(1)?);
            }
        }
        Ok(())
    }
}
