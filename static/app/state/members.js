// The members of rooms that were looked at, with their roles; kept up to date by the events.

import { signal } from '../html.js';
import { on, request } from '../connection.js';
import { whenSignedIn, whenSignedOut } from '../session.js';
import { roomKey } from './keys.js';
import { meet } from './people.js';

/** @typedef {{id: number, role: 'creator'|'admin'|'member', mutedUntil?: number}} Member */

const lists = new Map();

/** @returns {import('@preact/signals').Signal<Member[]|null>} null until known */
export function members(key) {
  if (!lists.has(key)) lists.set(key, signal(null));
  return lists.get(key);
}

export async function loadMembers(id) {
  const reply = await request('room.members', { room: id });
  meet(reply.members.map((one) => one.user));
  members(roomKey(id)).value = inOrder(reply.members.map(({ user, role, mutedUntil }) => ({ id: user.id, role, mutedUntil })));
}

const RANK = { creator: 0, admin: 1, member: 2 };
const inOrder = (list) => list.sort((a, b) => RANK[a.role] - RANK[b.role] || a.id - b.id);

function update(room, change) {
  const list = lists.get(roomKey(room.id));
  if (list?.peek()) list.value = inOrder(change(list.peek()));
}
const without = (list, id) => list.filter((one) => one.id !== id);

on('room.join', ({ room, user }) => {
  const role = user.id === room.creator ? 'creator' : 'member';
  update(room, (list) => (list.some((one) => one.id === user.id) ? [...list] : [...list, { id: user.id, role }]));
});
on('room.leave', ({ room, user }) => update(room, (list) => without(list, user.id)));
on('room.member', ({ room, user, role, mutedUntil }) => {
  meet([user]);
  update(room, (list) => [...without(list, user.id), { id: user.id, role, mutedUntil }]);
});
on('room.deleted', ({ room }) => lists.delete(roomKey(room.id)));

whenSignedIn((first) => {
  if (first) return;
  for (const [key, list] of lists) if (list.peek()) loadMembers(Number(key.slice(1))).catch(() => (list.value = null));
});
whenSignedOut(() => lists.clear());
