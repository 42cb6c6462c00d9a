// The conversation in which one is searching.

import { signal } from '../html.js';

/** Its key, or null. */
export const finding = signal(null);
