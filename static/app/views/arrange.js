// What stands between messages (days, the divider of the new ones), and which of them belong together.

import { dayOf } from '../words/time.js';

const TOGETHER_MS = 5 * 60_000;
const SAID = new Set(['text', 'image', 'file']);

/**
 * @returns {{id: string, message: object, day: boolean, divider: boolean, first: boolean, last: boolean, mine: boolean, isRead: boolean, faced: boolean}[]}
 */
export function arrange(messages, { divider, room, me, peerRead }) {
  let dividerDone = divider === null;
  const rows = messages.map((message, index) => {
    const before = messages[index - 1];
    const day = !before || dayOf(before.time) !== dayOf(message.time);
    const isDivider = !dividerDone && message.seq > divider && message.from !== me;
    dividerDone ||= isDivider;
    const first = day || isDivider || !together(before, message);
    const mine = message.from === me;
    const isRead = mine && (message.read || message.seq <= peerRead);
    return { id: `s${message.seq}`, message, day, divider: isDivider, first, last: true, mine, isRead, faced: room && !mine };
  });
  rows.forEach((row, index) => (row.last = rows[index + 1]?.first ?? true));
  return rows;
}

const together = (a, b) => a.from === b.from && SAID.has(a.type) && SAID.has(b.type) && b.time - a.time < TOGETHER_MS;
