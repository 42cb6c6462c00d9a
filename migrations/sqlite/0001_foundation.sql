-- Ids that people see are handed out here, so that their floor can be configured.
create table counters (
    name  text   not null primary key,
    value bigint not null
);

-- One account. `profile` is the JSON document of its free attributes; secrets are never part of it.
create table users (
    id            bigint not null primary key,
    username      text   not null,
    password_hash text   not null,
    question      text,
    answer_hash   text,
    profile       text   not null,
    created_ms    bigint not null
);

-- What an account can be found and signed in by: its user name, and on other wires an email or a phone number.
create table identifiers (
    kind    text   not null,
    value   text   not null,
    user_id bigint not null references users (id),
    primary key (kind, value)
);

-- The scalar attributes of the profiles, in the form in which they are compared, for `find`.
create table attributes (
    user_id bigint not null references users (id),
    name    text   not null,
    value   text   not null,
    primary key (user_id, name)
);
create index attributes_by_value on attributes (name, value, user_id);

-- One direction of a friendship: `owner_id` asked for it or has it.
create table friendships (
    owner_id   bigint not null references users (id),
    friend_id  bigint not null references users (id),
    accepted   bigint not null,
    group_name text,
    created_ms bigint not null,
    primary key (owner_id, friend_id)
);
create index friendships_by_friend on friendships (friend_id, owner_id);

-- A direct pair (`low_id` <= `high_id`) or a room (both null). `last_seq` is the number of its messages.
create table conversations (
    id       integer primary key autoincrement,
    low_id   bigint references users (id),
    high_id  bigint references users (id),
    last_seq bigint not null default 0,
    unique (low_id, high_id)
);

create table rooms (
    id              bigint not null primary key,
    conversation_id bigint not null unique references conversations (id),
    name            text   not null,
    intro           text   not null,
    creator_id      bigint not null references users (id),
    created_ms      bigint not null
);

-- A stay of a user in a conversation: messages `since_seq < seq <= until_seq` are addressed to them.
-- A stay that goes on has no `until_seq`. Who comes back to a room begins a new stay.
create table stays (
    conversation_id bigint not null references conversations (id),
    user_id         bigint not null references users (id),
    since_seq       bigint not null,
    until_seq       bigint,
    delivered_seq   bigint not null,
    read_seq        bigint not null,
    primary key (conversation_id, user_id, since_seq)
);
create index stays_by_user on stays (user_id, conversation_id);
create unique index stays_open on stays (conversation_id, user_id) where until_seq is null;

-- `id` grows in the order of commits. `recipient_id` is the other side of a direct pair, null in a room. No foreign
-- keys here: every row comes from the commit batcher with ids that it has just looked up, and three checks a row
-- would halve its speed.
create table messages (
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
    client_id       text,
    unique (conversation_id, seq)
);
create unique index messages_by_client_id on messages (conversation_id, sender_id, client_id)
    where client_id is not null;
