// My friends and the open requests.

import { signal, computed } from '../html.js';
import { on, request } from '../connection.js';
import { whenSignedIn, whenSignedOut } from '../session.js';
import { whenReceived } from './messages.js';
import { meet } from './people.js';
import { escapeText } from './text.js';

/** @type {import('@preact/signals').Signal<{id: number, group?: string}[]|null>} null until known */
export const friends = signal(null);
/** @type {import('@preact/signals').Signal<{incoming: {user: object, text: string, time: number}[], outgoing: object[]}>} */
export const requests = signal({ incoming: [], outgoing: [] });
export const incomingCount = computed(() => requests.value.incoming.length);
export const hasAsked = (id) => requests.value.incoming.some((one) => one.user.id === id);
export const isAsked = (id) => requests.value.outgoing.some((one) => one.user.id === id);
export const isFriend = (id) => Boolean(friends.value?.some((friend) => friend.id === id));

export async function refreshFriends() {
  const [list, open] = await Promise.all([request('friends', {}), request('requests', {}).catch(() => null)]);
  meet(list.list.map(({ group, ...user }) => user));
  friends.value = list.list.map(({ id, group }) => ({ id, group }));
  if (!open) return;
  meet([...open.incoming, ...open.outgoing].map((one) => one.user));
  requests.value = { incoming: open.incoming, outgoing: open.outgoing };
}

/** Asks somebody to be friends. */
export async function ask(id, note = '') {
  await request('subscribe', { to: id, message: escapeText(note) });
  await refreshFriends();
}

/** Answers a friend request. Without a note the server writes a usual one. */
export async function answer(id, accept, note = '') {
  // Also when it fails: the request may have been withdrawn, of which nobody tells.
  await request('reply', { to: id, refuse: accept ? 0 : 1, ...(note ? { message: escapeText(note) } : {}) }).finally(refreshFriends);
}

/** Takes somebody out of one's list, or takes back a request to them. */
export async function unfriend(id) {
  await request('unsubscribe', { to: id });
  await refreshFriends();
}

export async function setGroup(id, group) {
  await request('group', { to: id, group });
  friends.value = friends.peek().map((friend) => (friend.id === id ? { ...friend, group } : friend));
}

/** Several signs of one change come together: the event, and the message that asks or answers. */
let timer = 0;
function refreshSoon() {
  timer ||= setTimeout(() => {
    timer = 0;
    refreshFriends().catch(() => {});
  }, 50);
}
on('friends', refreshSoon);
whenReceived((message) => message.type.startsWith('friend-') && refreshSoon());
whenSignedIn(() => void refreshFriends().catch(() => {}));
whenSignedOut(() => {
  friends.value = null;
  requests.value = { incoming: [], outgoing: [] };
});
