// What I say, until the server has it. Each has a `cid`, so that sending again never says it twice; they wait while
// there is no connection, and outlive a reload of this tab.

import { signal, computed } from '../html.js';
import { request, status } from '../connection.js';
import { me, myId, whenSignedIn, whenSignedOut } from '../session.js';
import { addressOf, idOf, isRoom } from './keys.js';
import { receive, whenReceived } from './messages.js';
import { iSent } from './typing.js';

/**
 * @typedef {object} Pending
 * @property {string} cid
 * @property {string} key the conversation
 * @property {string} text
 * @property {{seq: number, from: number, text: string}} [reply]
 * @property {object} [file] as the server told of the upload
 * @property {string} [together] the same for all files that were chosen at once
 * @property {{name: string, size: number, type: string, preview?: string, width?: number, height?: number, progress: number}} [upload]
 * @property {'waiting'|'sending'|'uploading'|'failed'} state
 * @property {Error} [error]
 * @property {number} time
 */

/** @type {import('@preact/signals').Signal<Pending[]>} */
export const outbox = signal([]);
export const waitingCount = computed(() => outbox.value.filter((one) => one.state === 'waiting' || one.state === 'sending').length);
export const pendingIn = (key) => outbox.value.filter((one) => one.key === key);

const RETRIES = 4;
const TRANSIENT = new Set([429, 500]);
let sending = false;

export const newCid = () => crypto.randomUUID?.() ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

export function say(key, text, reply) {
  iSent();
  add({ cid: newCid(), key, text, reply, state: 'waiting', time: Date.now() });
  pump();
}

export const add = (pending) => (outbox.value = [...outbox.peek(), pending]);
export const peekPending = (cid) => outbox.peek().find((one) => one.cid === cid);
export function update(cid, changes) {
  outbox.value = outbox.peek().map((one) => (one.cid === cid ? { ...one, ...changes } : one));
}
export function discard(cid) {
  const one = peekPending(cid);
  if (one?.upload?.preview) URL.revokeObjectURL(one.upload.preview);
  outbox.value = outbox.peek().filter((other) => other.cid !== cid);
}
export function sendAgain(cid) {
  update(cid, { state: 'waiting', error: undefined });
  pump();
}

/** Files that were chosen at once keep their order, whichever of them is up first. */
function isDue(one, index, all) {
  const comesBefore = (other) => other.state === 'uploading' && other.together === one.together;
  return one.state === 'waiting' && !(one.together && all.slice(0, index).some(comesBefore));
}

/** One after the other, in the order in which they were said. */
export async function pump() {
  if (sending || status.peek() !== 'online') return;
  sending = true;
  try {
    for (let next; status.peek() === 'online' && (next = outbox.peek().find(isDue)); ) await send(next);
  } finally {
    sending = false;
  }
}

async function send(one) {
  const { cid, key, text, reply, file } = one;
  update(cid, { state: 'sending' });
  for (let round = 1; ; round++) {
    try {
      const address = addressOf(key);
      const data = { ...address, message: text, format: 'plain', cid };
      if (reply) data.reply = reply.seq;
      if (file) data.file = file.url;
      const stored = await request(isRoom(key) ? 'room.message' : 'message', data);
      // The event may have been faster; it tells more.
      if (stored.seq && peekPending(cid)) receive(asMessage(one, stored));
      return discard(cid);
    } catch (error) {
      // Without an answer nobody knows whether it is stored: it waits, and goes again under the same cid.
      if (error.reason === 'offline' || error.reason === 'timeout') return update(cid, { state: 'waiting' });
      if (!TRANSIENT.has(error.code) || round > RETRIES) return update(cid, { state: 'failed', error });
      await new Promise((resolve) => setTimeout(resolve, 1_000 * round));
    }
  }
}

/** The message as the event will show it; that comes as well, and replaces this one. */
function asMessage({ key, text, reply, file, cid }, { _id, seq, at, time }) {
  const type = !file ? 'text' : file.width ? 'image' : 'file';
  const address = isRoom(key) ? { room: idOf(key) } : { to: idOf(key) };
  return { id: _id, seq, from: myId(), ...address, time: at ?? time, type, format: 'plain', text, cid, reply, file };
}

whenReceived((message) => message.cid && message.from === myId() && peekPending(message.cid) && discard(message.cid));

const place = () => `nodeim.outbox.${myId()}`;
outbox.subscribe((all) => {
  if (!me.peek()) return;
  // Uploads cannot be kept: their files are gone after a reload.
  const kept = all.filter((one) => one.state !== 'uploading' && (!one.upload || one.file)).map(({ upload, error, ...one }) => one);
  if (kept.length) sessionStorage.setItem(place(), JSON.stringify(kept));
  else sessionStorage.removeItem(place());
});

whenSignedIn((first) => {
  if (first) {
    const kept = JSON.parse(sessionStorage.getItem(place()) ?? '[]');
    const known = new Set(outbox.peek().map((one) => one.cid));
    outbox.value = [
      ...kept.filter((one) => !known.has(one.cid)).map((one) => ({ ...one, state: one.state === 'failed' ? 'failed' : 'waiting' })),
      ...outbox.peek(),
    ];
  }
  pump();
});
whenSignedOut(() => {
  if (me.peek()) sessionStorage.removeItem(place());
  outbox.value = [];
});
