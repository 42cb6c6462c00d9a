// What one does with rooms. The rooms that one is in are among the conversations.

import { request } from '../connection.js';
import { refreshOne } from './conversations.js';
import { roomKey } from './keys.js';

export async function joinRoom(id) {
  await request('room.join', { room: id });
  await refreshOne(roomKey(id));
}
