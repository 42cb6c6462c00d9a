// Jumping to a message: from a hit of the search, or from a quote.

import { signal } from '../html.js';
import { openConversation } from '../route.js';

/** `{key, seq}` until the conversation's view has done it. */
export const jump = signal(null);

export function jumpTo(key, seq) {
  jump.value = { key, seq };
  openConversation(key);
}
