// The messages at hand of each conversation: a window without a hole, which grows at both ends by `history`.

import { batch, signal } from '../html.js';
import { request } from '../connection.js';
import { whenSignedOut } from '../session.js';
import { change, peekConversation } from './conversations.js';
import { addressOf } from './keys.js';
import { meet } from './people.js';

/**
 * @typedef {object} Thread
 * @property {object[]} messages by `seq`, upwards
 * @property {boolean} loaded false until the first answer
 * @property {boolean} start has the first message
 * @property {boolean} end has the last one: what is said now is appended
 * @property {''|'older'|'newer'|'whole'} loading
 * @property {Error|null} error why loading failed
 */

const PAGE = 50;
/** More would make the page slow; what is dropped at one end can be asked for again. */
const KEEP = 500;
const EMPTY = { messages: [], loaded: false, start: false, end: false, loading: '', error: null };

const threads = new Map();

/** @returns {import('@preact/signals').Signal<Thread>} */
export function thread(key) {
  let found = threads.get(key);
  if (!found) threads.set(key, (found = signal(EMPTY)));
  return found;
}
export const loadedKeys = () => [...threads.keys()].filter((key) => threads.get(key).peek().loaded);

const set = (key, changes) => (thread(key).value = { ...thread(key).peek(), ...changes });

async function ask(key, parameters) {
  const reply = await request('history', { ...addressOf(key), limit: PAGE, ...parameters });
  meet(reply.users);
  const { read, peerRead } = peekConversation(key) ?? {};
  if (reply.read > read) change(key, { read: reply.read });
  if (reply.peerRead > peerRead) change(key, { peerRead: reply.peerRead });
  return reply;
}

/** By key, what came in live while an answer is on its way: that may be older, and would undo it. */
const overtaking = new Map();

async function load(key, kind, task) {
  if (thread(key).peek().loading) return;
  const late = [];
  overtaking.set(key, late);
  set(key, { loading: kind, error: null });
  try {
    await task();
  } catch (error) {
    set(key, { error });
  } finally {
    overtaking.delete(key);
    batch(() => {
      for (const again of late) again();
      set(key, { loading: '' });
    });
  }
}

/** The newest messages, in place of what is at hand. */
export const loadEnd = (key) =>
  load(key, 'whole', async () => {
    const { messages, more } = await ask(key, {});
    set(key, { messages: messages.reverse(), loaded: true, start: !more, end: true });
  });

/** The messages before and after this number, in place of what is at hand. */
export const loadAround = (key, seq) =>
  load(key, 'whole', async () => {
    const [older, newer] = await Promise.all([ask(key, { before: seq + 1 }), ask(key, { after: seq })]);
    const messages = [...older.messages.reverse(), ...newer.messages];
    set(key, { messages, loaded: true, start: !older.more, end: !newer.more });
  });

export function loadOlder(key) {
  const { messages, start } = thread(key).peek();
  if (start || !messages.length) return;
  return load(key, 'older', async () => {
    const reply = await ask(key, { before: messages[0].seq });
    const now = merge(reply.messages, thread(key).peek().messages);
    const kept = now.slice(0, KEEP);
    set(key, { messages: kept, start: !reply.more, end: thread(key).peek().end && kept.length === now.length });
  });
}

export function loadNewer(key) {
  const { messages, end } = thread(key).peek();
  if (end || !messages.length) return;
  return load(key, 'newer', async () => {
    const reply = await ask(key, { after: messages.at(-1).seq });
    const now = merge(thread(key).peek().messages, reply.messages);
    const kept = now.slice(-KEEP);
    set(key, { messages: kept, end: !reply.more, start: thread(key).peek().start && kept.length === now.length });
  });
}

/** Puts messages in their places by `seq`; the same number again replaces. */
function merge(...lists) {
  const bySeq = new Map(lists.flat().map((message) => [message.seq, message]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** A message that was just said, if the window reaches to the end. */
export function insert(key, message) {
  overtaking.get(key)?.push(() => insert(key, message));
  const { messages, loaded, end } = thread(key).peek();
  if (!loaded) return;
  const known = messages.some((one) => one.seq === message.seq);
  if (known || end) set(key, { messages: merge(messages, [message]).slice(-KEEP) });
}

/** An edit or a recall. */
export function patch(key, seq, changes) {
  overtaking.get(key)?.push(() => patch(key, seq, changes));
  const { messages } = thread(key).peek();
  if (!messages.some((one) => one.seq === seq)) return;
  set(key, { messages: messages.map((one) => (one.seq === seq ? { ...one, ...changes } : one)) });
}

/** The conversation is gone, or too far behind to be mended. */
export const forgetThread = (key) => threads.has(key) && (thread(key).value = EMPTY);

whenSignedOut(() => {
  for (const one of threads.values()) one.value = EMPTY;
});
