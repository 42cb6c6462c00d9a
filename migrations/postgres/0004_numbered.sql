-- By these names questions that begin with a conversation ask for messages, since SQLite has its index in two parts.
-- PostgreSQL needs none of that: it does not write whole pages for a row.
create view numbered_messages as select * from messages;
create view message_places as select conversation_id, seq, id as message_id from messages;
