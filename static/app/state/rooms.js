// What one does with rooms. The rooms that one is in are among the conversations.

import { effect, signal } from '../html.js';
import { on, request } from '../connection.js';
import { myId } from '../session.js';
import { change, refreshOne, remove, rooms } from './conversations.js';
import { roomKey } from './keys.js';
import { escapeText } from './text.js';

/** @returns {Promise<number>} the id of the new room */
export async function createRoom(name, intro) {
  const { room } = await request('room.create', { name, intro: escapeText(intro) });
  await refreshOne(roomKey(room.id));
  return room.id;
}

export async function joinRoom(id) {
  await request('room.join', { room: id });
  await refreshOne(roomKey(id));
}

export async function leaveRoom(id) {
  await request('room.leave', { room: id });
  remove(roomKey(id));
}

export async function deleteRoom(id) {
  await request('room.delete', { room: id });
  remove(roomKey(id));
}

/** @param {{name?: string, intro?: string, avatar?: string}} changes */
export function changeRoom(id, { intro, ...changes }) {
  return request('room.profile', { room: id, ...changes, ...(intro === undefined ? {} : { intro: escapeText(intro) }) });
}

/** @returns {Promise<number[]>} who was invited */
export const invite = async (id, users) => (await request('room.invite', { room: id, users })).invited;
export const setAdmin = (id, user, on) => request('room.admin', { room: id, user, on });
export const muteMember = (id, user, minutes) => request('room.mute', { room: id, user, minutes });
export const kick = (id, user) => request('room.kick', { room: id, user });

/** The room that somebody else took me out of, or deleted: `{room, by}`; `by` is 0 if it was deleted. */
export const lost = signal(null);
on('room.leave', ({ room, user, by }) => user.id === myId() && by && by !== myId() && (lost.value = { room, by }));
on('room.deleted', ({ room }) => room.creator !== myId() && (lost.value = { room, by: 0 }));

// A mute ends by itself, and nobody tells.
const LONGEST_TIMER = 2 ** 31 - 1;
let timer = 0;
effect(() => {
  clearTimeout(timer);
  const muted = rooms.value.filter((one) => one.mutedUntil);
  if (!muted.length) return;
  const first = Math.min(...muted.map((one) => one.mutedUntil));
  timer = setTimeout(() => {
    for (const { key, mutedUntil } of muted) if (mutedUntil <= Date.now()) change(key, { mutedUntil: undefined });
  }, Math.min(LONGEST_TIMER, Math.max(0, first - Date.now()) + 500));
});
