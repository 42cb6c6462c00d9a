// A conversation's key: `u2` with user 2, `r5` in room 5. On the wire it is `{"to":2}` or `{"room":5}`.

import { myId } from '../session.js';

export const isRoom = (key) => key[0] === 'r';
export const idOf = (key) => Number(key.slice(1));
export const addressOf = (key) => (isRoom(key) ? { room: idOf(key) } : { to: idOf(key) });
export const userKey = (id) => `u${id}`;
export const roomKey = (id) => `r${id}`;

/** The conversation that an event or message belongs to: what I say to 2 and what 2 says to me is the same one. */
export function keyOf({ room, from, to }) {
  if (room) return roomKey(room);
  return userKey(from === undefined || from === myId() ? to : from);
}
