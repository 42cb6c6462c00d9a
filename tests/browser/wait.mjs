// Waiting for what has no element of its own to wait for.

import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { WAIT_MS } from '../clients/wait.mjs';

/** Asks `read()` until `holds(value)` and gives that value; fails with the last one when it takes too long. */
export async function eventually(what, read, holds = Boolean) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const value = await read();
    if (await holds(value)) return value;
    if (Date.now() > end) throw new Error(`after ${WAIT_MS} ms, ${what}: ${inspect(value)}`);
    await pause(25);
  }
}
