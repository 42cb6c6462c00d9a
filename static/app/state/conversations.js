// The list of conversations: who or what, last message, unread, marks.

import { signal, computed, batch } from '../html.js';
import { on, request } from '../connection.js';
import { myId, whenSignedIn, whenSignedOut } from '../session.js';
import { addressOf, isRoom, keyOf, roomKey, userKey } from './keys.js';
import { meet } from './people.js';

/**
 * @typedef {object} Conversation
 * @property {string} key
 * @property {number} [to]
 * @property {number} [room]
 * @property {{id: number, name: string, intro: string, creator: number, avatar?: string}} [info] the room
 * @property {'creator'|'admin'|'member'} [role]
 * @property {object|null} last the last message
 * @property {number} lastSeq
 * @property {number} unread at most 100
 * @property {number} read
 * @property {number} peerRead
 * @property {boolean} mute
 * @property {boolean} [blocked]
 * @property {number} [mutedUntil]
 */

const byKey = signal(new Map());
/** False until the first list has come. */
export const listed = signal(false);

/** All of them, the last talked in first, then rooms in which nothing was said. */
export const conversations = computed(() =>
  [...byKey.value.values()]
    .filter((one) => one.last || isRoom(one.key))
    .sort((a, b) => (b.last?.time ?? 0) - (a.last?.time ?? 0) || (b.info?.id ?? 0) - (a.info?.id ?? 0)),
);
export const totalUnread = computed(() =>
  conversations.value.reduce((sum, one) => sum + (one.mute ? 0 : one.unread), 0),
);
export const rooms = computed(() => conversations.value.filter((one) => isRoom(one.key)));

/** @returns {Conversation|undefined} */
export const conversation = (key) => byKey.value.get(key);
export const peekConversation = (key) => byKey.peek().get(key);
/** All that are known, for `resume`. */
export const allConversations = () => [...byKey.peek().values()];

export function change(key, changes) {
  const old = byKey.peek().get(key);
  if (old) put({ ...old, ...changes });
}

export function put(one) {
  byKey.value = new Map(byKey.peek()).set(one.key, one);
}

export function remove(key) {
  const rest = new Map(byKey.peek());
  rest.delete(key);
  byKey.value = rest;
}

function take(one) {
  if (one.user) meet([one.user]);
  const { user, ...rest } = one;
  const key = one.room ? roomKey(one.room) : userKey(one.to);
  const old = byKey.peek().get(key);
  // A message may have overtaken the answer.
  const newer = old && old.lastSeq > one.lastSeq ? { last: old.last, lastSeq: old.lastSeq, unread: old.unread } : {};
  return { ...rest, key, ...newer };
}

/** Asks for the whole list. */
export async function refresh() {
  const reply = await request('conversations', {});
  batch(() => {
    const next = new Map(reply.conversations.map(take).map((one) => [one.key, one]));
    // A conversation that is open but has no message yet is not in the list.
    for (const [key, one] of byKey.peek()) if (!next.has(key) && !one.last && !isRoom(key)) next.set(key, one);
    byKey.value = next;
    listed.value = true;
  });
}

/** Asks for one, which also makes an empty one known; throws if it is not there. */
export async function refreshOne(key) {
  const reply = await request('conversations', addressOf(key));
  const [one] = reply.conversations;
  if (one) put(take(one));
  else remove(key);
  return Boolean(one);
}

export async function mute(key, on) {
  await request('mute', { ...addressOf(key), on });
  change(key, { mute: on });
}

/** Several events may tell of one change; one question answers them all. */
const asking = new Map();
export function refreshSoon(key) {
  if (asking.has(key)) return;
  asking.set(key, setTimeout(() => {
    asking.delete(key);
    refreshOne(key).catch((error) => (error.code === 404 || error.code === 403) && remove(key));
  }, 50));
}

on('conversation', ({ mute: muted, ...address }) => change(keyOf(address), { mute: muted }));
on('room.join', ({ room, user }) => {
  meet([user]);
  if (user.id === myId()) refreshSoon(roomKey(room.id));
});
on('room.leave', ({ room, user }) => user.id === myId() && remove(roomKey(room.id)));
on('room.deleted', ({ room }) => remove(roomKey(room.id)));
on('room.changed', ({ room }) => change(roomKey(room.id), { info: room }));
on('room.member', ({ room, user }) => (user?.id ?? user) === myId() && refreshSoon(roomKey(room.id ?? room)));
// Somebody may have been blocked, or no longer.
let listTimer = 0;
on('friends', () => {
  listTimer ||= setTimeout(() => {
    listTimer = 0;
    refresh().catch(() => {});
  }, 80);
});

whenSignedIn(() => refresh().finally(() => (listed.value = true)));
whenSignedOut(() => {
  byKey.value = new Map();
  listed.value = false;
});
