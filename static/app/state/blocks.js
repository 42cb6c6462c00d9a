// Whom I have blocked.

import { signal, batch } from '../html.js';
import { on, request } from '../connection.js';
import { whenSignedIn, whenSignedOut } from '../session.js';
import { allConversations, change } from './conversations.js';
import { idOf, isRoom } from './keys.js';
import { meet } from './people.js';

/** @type {import('@preact/signals').Signal<number[]|null>} null until known */
export const blocked = signal(null);
export const isBlocked = (id) => Boolean(blocked.value?.includes(id));

export async function refreshBlocks() {
  const { users } = await request('blocks', {});
  batch(() => {
    meet(users);
    blocked.value = users.map((user) => user.id);
    for (const { key, blocked: before } of allConversations()) {
      const now = !isRoom(key) && isBlocked(idOf(key));
      if (now !== Boolean(before)) change(key, { blocked: now });
    }
  });
}

export async function setBlocked(id, on) {
  await request(on ? 'block' : 'unblock', { user: id });
  await refreshBlocks();
}

on('friends', () => refreshBlocks().catch(() => {}));
whenSignedIn(() => refreshBlocks().catch(() => {}));
whenSignedOut(() => (blocked.value = null));
