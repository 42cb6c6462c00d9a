-- A sign-in that can be used again with a token, of which only the hash is here.
create table sessions (
    id         integer primary key autoincrement,
    user_id    bigint  not null references users (id),
    token_hash text    not null unique,
    device     text    not null,
    address    text    not null,
    created_ms bigint  not null,
    used_ms    bigint  not null
);
create index sessions_by_user on sessions (user_id, used_ms);

-- `owner_id` wants to hear nothing of `blocked_id`.
create table blocks (
    owner_id   bigint not null references users (id),
    blocked_id bigint not null references users (id),
    created_ms bigint not null,
    primary key (owner_id, blocked_id)
);
create index blocks_by_blocked on blocks (blocked_id, owner_id);

-- The words (HTML) of a request that is open, as its message has them.
alter table friendships add column request_text text;

-- What few messages have, beside of them, so that the many stay small: what they are about (an earlier message that
-- they answer or change), an attached file, a room they invite to (both JSON), the time of the last change.
create table message_extras (
    message_id      bigint not null primary key,
    conversation_id bigint not null,
    about_seq       bigint,
    quoted_id       bigint,
    quote           text,
    file            text,
    card            text,
    edited_ms       bigint
);
create index message_extras_by_subject on message_extras (conversation_id, about_seq) where about_seq is not null;

-- The role of a member who is no ordinary one ('admin'), and whether they want no notifications.
alter table stays add column role text;
alter table stays add column quiet bigint not null default 0;

alter table rooms add column avatar text;
alter table rooms add column deleted_ms bigint;

-- Members who may not speak for a while. Not in `stays`: leaving and coming back must not end it.
create table room_mutes (
    room_id  bigint not null references rooms (id),
    user_id  bigint not null references users (id),
    until_ms bigint not null,
    primary key (room_id, user_id)
);

-- Uploaded files, by the random name under which they are kept; `stored` and `thumb` are that name with an extension,
-- as it stands on disk and in addresses. A file that nothing refers to is kept for a while from `kept_ms` on.
create table files (
    name       text   not null primary key,
    owner_id   bigint not null references users (id),
    stored     text   not null,
    original   text   not null,
    type       text   not null,
    size       bigint not null,
    width      bigint,
    height     bigint,
    thumb      text,
    created_ms bigint not null,
    kept_ms    bigint not null
);
create index files_by_time on files (kept_ms, name);

-- What the files of a user take up: counted here, so that uploads at the same time cannot pass the quota together.
alter table users add column file_bytes bigint not null default 0;

-- What refers to a file: a message, a user's profile or a room, by id. What nothing refers to is removed.
create table file_uses (
    name    text   not null references files (name),
    kind    text   not null,
    used_by bigint not null,
    primary key (name, kind, used_by)
);
create index file_uses_by_user on file_uses (kind, used_by);

-- Secrets that the server makes for itself, and all nodes share.
create table secrets (
    name  text not null primary key,
    value text not null
);

-- The words of messages, for searching; `rowid` is the message's id. How far it is filled is in `counters`.
create virtual table message_terms using fts5 (
    terms, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
