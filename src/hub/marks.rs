//! How far a connection has taken the messages of each conversation.
//!
//! The transport accepting a message does not mean that the person has it: it may sit in a buffer of a connection
//! that is dead without our knowing. A connection that lived on for a whole heartbeat after a message has read it,
//! since the heartbeat comes after it on the same stream. So marks age through two generations, each at least a
//! heartbeat long, before they are stored; a connection that ends in an orderly way hands all of them over at once,
//! one that breaks hands over none of the young ones, and what they covered is delivered again.

use std::collections::HashMap;

use crate::chat::ids::{ConversationId, Seq, UserId};

/// The first one may end right after the credit was given.
const GENERATIONS_ON_CREDIT: u8 = 2;

/// "`user` has every message of `conversation` up to `seq`", and has read them if `read` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub user: UserId,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub read: bool,
}

/// Messages that a connection was not given, since another connection of the same user had taken them, but not for
/// so long that it is certain that they arrived there: `after < seq <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnCredit {
    pub conversation: ConversationId,
    pub after: Seq,
    pub last: Seq,
}

/// The marks of one connection that are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Marks {
    young: HashMap<ConversationId, Seq>,
    aging: HashMap<ConversationId, Seq>,
    credits: Vec<OnCredit>,
    /// Generations since the credits were given.
    credits_age: u8,
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

    /// What may be stored when the connection ends in an orderly way: not what lies beyond a credit.
    pub(super) fn without_credits(&self) -> impl Iterator<Item = (ConversationId, Seq)> + '_ {
        let on_credit = |conversation| self.credits.iter().any(|credit| credit.conversation == conversation);
        self.all().filter(move |(conversation, _)| !on_credit(*conversation))
    }

    /// Notes that these messages are left to another connection.
    pub(super) fn give_credit(&mut self, credit: OnCredit) {
        self.credits.push(credit);
        self.credits_age = 0;
    }

    /// The other connection broke: these messages must be given after all.
    pub(super) fn call_credits(&mut self) -> Vec<OnCredit> {
        std::mem::take(&mut self.credits)
    }

    /// Ends a generation: returns what is old enough to be stored. Credits hold it up, until the other connection has
    /// had the time to break.
    pub(super) fn age(&mut self) -> HashMap<ConversationId, Seq> {
        if !self.credits.is_empty() {
            self.credits_age += 1;
            if self.credits_age < GENERATIONS_ON_CREDIT {
                return HashMap::new();
            }
            self.credits = Vec::new();
        }
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

    #[test]
    fn credits_hold_marks_back_until_they_expire_or_are_called() {
        let one = ConversationId(1);
        let credit = OnCredit { conversation: one, after: Seq(2), last: Seq(4) };
        let mut marks = Marks::default();
        marks.give_credit(credit);
        marks.note(one, Seq(5));
        marks.note(ConversationId(2), Seq(1));
        assert_eq!(marks.without_credits().collect::<Vec<_>>(), [(ConversationId(2), Seq(1))]);
        assert!(marks.age().is_empty());
        assert_eq!(marks.call_credits(), [credit]);
        assert_eq!(marks.without_credits().count(), 2);
        marks.give_credit(credit);
        let aged = (0..3).map(|_| marks.age().len()).collect::<Vec<_>>();
        assert_eq!(aged, [0, 0, 2]);
        assert_eq!(marks.call_credits(), []);
    }
}
