//! How far a connection has taken the messages of each conversation.
//!
//! The transport accepting a message does not mean that the person has it: it may sit in a buffer of a connection
//! that is dead without our knowing. A connection that lived on for a whole heartbeat after a message has read it,
//! since the heartbeat comes after it on the same stream. So marks age through two generations, each at least a
//! heartbeat long, before they are stored; a connection that ends in an orderly way hands all of them over at once,
//! one that breaks hands over none of the young ones, and what they covered is delivered again.

use std::collections::HashMap;

use crate::chat::ids::{ConversationId, Seq, UserId};

/// "`user` has every message of `conversation` up to `seq`."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub user: UserId,
    pub conversation: ConversationId,
    pub seq: Seq,
}

/// The marks of one connection that are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Marks {
    young: HashMap<ConversationId, Seq>,
    aging: HashMap<ConversationId, Seq>,
}

impl Marks {
    pub(super) fn note(&mut self, conversation: ConversationId, seq: Seq) {
        let mark = self.young.entry(conversation).or_insert(seq);
        *mark = seq.max(*mark);
    }

    /// How far this connection was given `conversation`'s messages, as far as that is remembered.
    pub(super) fn noted(&self, conversation: ConversationId) -> Option<Seq> {
        self.young.get(&conversation).max(self.aging.get(&conversation)).copied()
    }

    /// Everything noted and not stored yet.
    pub(super) fn all(&self) -> impl Iterator<Item = (ConversationId, Seq)> + '_ {
        self.aging.iter().chain(&self.young).map(|(conversation, seq)| (*conversation, *seq))
    }

    /// Ends a generation: returns what is old enough to be stored.
    pub(super) fn age(&mut self) -> HashMap<ConversationId, Seq> {
        std::mem::replace(&mut self.aging, std::mem::take(&mut self.young))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_stored_after_a_whole_generation_and_never_goes_back() {
        let (one, two) = (ConversationId(1), ConversationId(2));
        let mut marks = Marks::default();
        marks.note(one, Seq(5));
        marks.note(one, Seq(4));
        assert!(marks.age().is_empty());
        marks.note(two, Seq(1));
        assert_eq!(marks.noted(one), Some(Seq(5)));
        assert_eq!(marks.all().count(), 2);
        assert_eq!(marks.age(), HashMap::from([(one, Seq(5))]));
        assert_eq!(marks.age(), HashMap::from([(two, Seq(1))]));
        assert!(marks.age().is_empty());
    }
}
