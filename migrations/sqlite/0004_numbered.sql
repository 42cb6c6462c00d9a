-- The index over (conversation_id, seq) in two parts. The messages of one commit belong to as many conversations, so
-- each of them would change another page of it, and SQLite writes whole pages: that was the dearest part of a commit.
-- New messages are entered in a small part, of few pages; every 1,024th moves them to the large one, in its order.
create table renewed (
    id              integer primary key,
    conversation_id bigint not null,
    seq             bigint not null,
    sender_id       bigint not null,
    recipient_id    bigint,
    kind            text   not null,
    format          text   not null,
    body            text   not null,
    claimed_ms      bigint not null,
    stored_ms       bigint not null,
    client_id       text
);
insert into renewed select * from messages;
drop table messages;
alter table renewed rename to messages;
create unique index messages_by_client_id on messages (conversation_id, sender_id, client_id)
    where client_id is not null;

create table messages_by_seq (
    conversation_id bigint not null,
    seq             bigint not null,
    message_id      bigint not null,
    primary key (conversation_id, seq)
) without rowid;
insert into messages_by_seq select conversation_id, seq, id from messages order by conversation_id, seq;

create table newest_by_seq (
    conversation_id bigint not null,
    seq             bigint not null,
    message_id      bigint not null,
    primary key (conversation_id, seq)
) without rowid;

create trigger messages_entered after insert on messages begin
    insert into newest_by_seq values (new.conversation_id, new.seq, new.id);
end;
-- Not without `order by`: SQLite would copy page by page into an empty table, and end the trigger with that.
create trigger messages_moved after insert on messages when new.id % 1024 = 0 begin
    insert into messages_by_seq select * from newest_by_seq order by conversation_id, seq;
    delete from newest_by_seq;
end;
create trigger messages_removed after delete on messages begin
    delete from newest_by_seq where conversation_id = old.conversation_id and seq = old.seq;
    delete from messages_by_seq where conversation_id = old.conversation_id and seq = old.seq;
end;

-- For questions that begin with a conversation, or with a conversation and a number; ids are looked for in `messages`.
create view numbered_messages as
    select n.message_id as id, n.conversation_id, n.seq, m.sender_id, m.recipient_id, m.kind, m.format, m.body,
           m.claimed_ms, m.stored_ms, m.client_id
    from newest_by_seq n cross join messages m on m.id = n.message_id
    union all
    select n.message_id, n.conversation_id, n.seq, m.sender_id, m.recipient_id, m.kind, m.format, m.body,
           m.claimed_ms, m.stored_ms, m.client_id
    from messages_by_seq n cross join messages m on m.id = n.message_id;

-- Only where messages are: for statements that choose some of many.
create view message_places as
    select conversation_id, seq, message_id from newest_by_seq
    union all
    select conversation_id, seq, message_id from messages_by_seq;
