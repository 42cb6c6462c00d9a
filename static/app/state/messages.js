// What arrives: live messages, and what was missed, found by the gaps in their numbers.

import { batch, signal } from '../html.js';
import { on, request } from '../connection.js';
import { myId, whenSignedIn, whenSignedOut } from '../session.js';
import { allConversations, change, peekConversation, put, refreshSoon } from './conversations.js';
import { addressOf, idOf, isRoom, keyOf } from './keys.js';
import { meet } from './people.js';
import { forgetThread, insert, loadedKeys, patch, thread } from './threads.js';
import { stopped } from './typing.js';

/** Up to which number everything of a conversation has arrived, edits and recalls too. */
const marks = new Map();

/** The last message of somebody else that came in live, for notifications and screen readers. */
export const latest = signal(null);
const onReceived = [];
/** Runs `task(message, key)` for each message that is new here. */
export const whenReceived = (task) => onReceived.push(task);

/** A message from the server, live or the reply to one's own. */
export function receive(message, user, info) {
  const key = keyOf(message);
  batch(() => {
    if (user) meet([user]);
    makeKnown(key, message, info);
    const mark = marks.get(key);
    if (mark !== undefined && message.seq > mark + 1) catchUpSoon(key);
    else marks.set(key, Math.max(mark ?? 0, message.seq));
    const isNew = message.seq > (peekConversation(key)?.lastSeq ?? 0);
    take(key, message);
    if (isNew) count(key, message);
  });
}

/** The first message of a conversation, or the first for a long time. */
function makeKnown(key, message, info) {
  if (peekConversation(key)) return;
  const empty = { last: null, lastSeq: message.seq - 1, unread: 0, read: 0, peerRead: 0, mute: false };
  put({ key, ...addressOf(key), ...(isRoom(key) ? { info: info ?? { id: idOf(key), name: '' } } : {}), ...empty });
  refreshSoon(key);
}

/** Brings the window and the list up to date; harmless when repeated. */
function take(key, message) {
  const one = peekConversation(key);
  if (message.type === 'edit' || message.type === 'recall') {
    const changes =
      message.type === 'edit'
        ? { text: message.text, format: message.format, edited: message.time }
        : { type: 'recalled', text: '', file: undefined, reply: undefined, card: undefined };
    patch(key, message.target, changes);
    if (one?.last?.seq === message.target) change(key, { last: { ...one.last, ...changes } });
  } else {
    insert(key, message);
    if (message.seq > (one?.last?.seq ?? 0)) change(key, { last: message });
    for (const task of onReceived) task(message, key);
  }
  change(key, { lastSeq: Math.max(one?.lastSeq ?? 0, message.seq) });
  stopped(key, message.from);
}

function count(key, message) {
  if (message.from === myId() || message.type === 'edit' || message.type === 'recall') return;
  const one = peekConversation(key);
  if (message.seq > one.read) change(key, { unread: Math.min(100, one.unread + 1) });
  latest.value = message;
}

const catching = new Set();
let timer = 0;
function catchUpSoon(key) {
  catching.add(key);
  timer ||= setTimeout(() => {
    timer = 0;
    const keys = [...catching];
    catching.clear();
    catchUp(keys)
      .then(() => keys.forEach(refreshSoon))
      .catch(() => {});
  }, 40);
}

const MARKS = 500;
/** Asks for everything beyond the marks of these conversations. */
export async function catchUp(keys) {
  let left = keys.filter((key) => marks.has(key));
  while (left.length) {
    const now = left.slice(0, MARKS);
    const reply = await request('resume', { marks: now.map((key) => ({ ...addressOf(key), seq: marks.get(key) })) });
    const again = new Set();
    batch(() => {
      meet(reply.users);
      for (const { messages, last, more, ...address } of reply.conversations) {
        const key = keyOf({ ...address, from: myId() });
        for (const message of messages) take(key, message);
        const reached = messages.at(-1)?.seq ?? last;
        marks.set(key, Math.max(marks.get(key) ?? 0, more ? reached : last));
        if (more && messages.length) again.add(key);
        // Much was missed: what is at hand would be far behind for long, and the list knows the newest anyway.
        if (more && messages.length >= 200) {
          forgetThread(key);
          marks.delete(key);
          again.delete(key);
        }
      }
    });
    left = [...left.slice(MARKS), ...again];
  }
}

/** Tells that everything up to here has been read. */
export async function markRead(key) {
  const one = peekConversation(key);
  if (!one?.lastSeq || (one.read >= one.lastSeq && !one.unread)) return;
  change(key, { read: one.lastSeq, unread: 0 });
  await request('read', { ...addressOf(key), seq: one.lastSeq }).catch(() => {});
}

export async function edit(key, seq, text) {
  await request('edit', { ...addressOf(key), seq, message: text, format: 'plain' });
  patch(key, seq, { text, format: 'plain', edited: Date.now() });
}

export const recall = (key, seq) => request('recall', { ...addressOf(key), seq });

on('message', ({ message, user, info }) => receive(message, user, info));

on('read', (event) => {
  const key = keyOf(event);
  const one = peekConversation(key);
  if (!one) return;
  if (event.from !== myId()) {
    if (event.seq > one.peerRead) change(key, { peerRead: event.seq });
  } else if (event.seq > one.read) {
    change(key, { read: event.seq, unread: event.seq >= (one.last?.seq ?? 0) ? 0 : one.unread });
    if (event.seq < (one.last?.seq ?? 0)) refreshSoon(key);
  }
});

// The list, which was asked for just before, tells where conversations end that are not at hand.
whenSignedIn(async () => {
  const loaded = new Set(loadedKeys());
  for (const { key, lastSeq } of allConversations()) if (!loaded.has(key)) marks.set(key, lastSeq);
  await catchUp([...loaded]);
});
whenSignedOut(() => marks.clear());

/** A window that was loaded anew has everything up to the end. */
export function markLoaded(key) {
  const { messages, end } = thread(key).peek();
  const last = Math.max(messages.at(-1)?.seq ?? 0, peekConversation(key)?.lastSeq ?? 0);
  if (end && !marks.has(key)) marks.set(key, last);
}
