// What the composer of each conversation holds: the draft, and the message that it answers or edits.

import { signal } from '../html.js';
import { whenSignedOut } from '../session.js';
import { plainText } from '../state/text.js';

/** @typedef {{text: string, reply: object|null, editing: object|null, before: string, nudge: number}} Composing */

const EMPTY = { text: '', reply: null, editing: null, before: '', nudge: 0 };
const all = new Map();

/** @returns {import('@preact/signals').Signal<Composing>} */
export function composing(key) {
  if (!all.has(key)) all.set(key, signal(EMPTY));
  return all.get(key);
}

const set = (key, changes) => (composing(key).value = { ...composing(key).peek(), ...changes });
/** A greater `nudge` brings the focus into the field. */
const nudged = (key) => composing(key).peek().nudge + 1;

export const write = (key, text) => set(key, { text });

export function replyTo(key, message) {
  stopEditing(key);
  set(key, { reply: message, nudge: nudged(key) });
}

/** The draft comes back when the editing is done or given up. */
export function startEditing(key, message) {
  const { text, editing, before } = composing(key).peek();
  set(key, { editing: message, reply: null, before: editing ? before : text, text: plainText(message), nudge: nudged(key) });
}

export function stopEditing(key) {
  const { editing, before } = composing(key).peek();
  if (editing) set(key, { editing: null, text: before, before: '' });
}

export const stopReplying = (key) => set(key, { reply: null });
export const clearDraft = (key) => set(key, { text: '', reply: null });

whenSignedOut(() => all.clear());
