// Searching in what was said.

import { request } from '../connection.js';
import { addressOf } from './keys.js';
import { meet } from './people.js';

/** @param {{key?: string, before?: string}} [where] one conversation; the `id` of the last hit on the page before */
export async function searchMessages(text, { key, before } = {}) {
  const reply = await request('search', { text, limit: 30, ...(key ? addressOf(key) : {}), ...(before ? { before } : {}) });
  meet(reply.users);
  return { messages: reply.messages, more: reply.more };
}
