// Who is writing where. The server passes it on and stores nothing; each word of it holds for 5 seconds.

import { signal } from '../html.js';
import { on, request } from '../connection.js';
import { myId, whenSignedOut } from '../session.js';
import { addressOf, keyOf } from './keys.js';
import { want } from './people.js';

const SHOWN_MS = 5_000;
const SENT_EVERY_MS = 3_000;

/** `{key: {id: timer}}` */
const writing = signal({});

/** The ids of those who write in this conversation. */
export const typists = (key) => Object.keys(writing.value[key] ?? {}).map(Number);

export function stopped(key, id) {
  const rest = { ...writing.peek()[key] };
  if (!(id in rest)) return;
  clearTimeout(rest[id]);
  delete rest[id];
  writing.value = { ...writing.peek(), [key]: rest };
}

on('typing', (event) => {
  if (event.from === myId()) return;
  const key = keyOf(event);
  // In a room, somebody may write who has not said anything yet.
  want(event.from);
  clearTimeout(writing.peek()[key]?.[event.from]);
  const timer = setTimeout(() => stopped(key, event.from), SHOWN_MS);
  writing.value = { ...writing.peek(), [key]: { ...writing.peek()[key], [event.from]: timer } };
});

let sent = { key: null, at: 0 };
/** To be called at each key press in the composer. */
export function iType(key) {
  const now = Date.now();
  if (sent.key === key && now - sent.at < SENT_EVERY_MS) return;
  sent = { key, at: now };
  request('typing', addressOf(key), { timeout: 1_000 }).catch(() => {});
}
/** After sending, the next key press is news again. */
export const iSent = () => (sent = { key: null, at: 0 });

whenSignedOut(() => (writing.value = {}));
