// Waiting for a condition, with an end.

/** How long a test waits for one thing; long, since a busy machine is slow and a passing test never waits it out. */
export const WAIT_MS = 20_000;

const PAUSE_MS = 10;

/** What `promise` gives, or an error with the text of `describe()` when it takes longer than `ms`. */
export async function within(promise, ms, describe) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${ms} ms: ${describe()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for something that nobody announces: until `look()` gives something, which is given. */
export async function eventually(look, describe) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`after ${WAIT_MS} ms: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
