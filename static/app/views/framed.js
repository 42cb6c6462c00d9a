// What signals hold, drawn at most once per frame: hundreds of messages that come at once would each be a layout.

import { effect, untracked, useLayoutEffect, useState } from '../html.js';

/** The first change is drawn at once, those of the same frame together. @template T @param {() => T} look reads the signals */
export function useFramed(look) {
  const [seen, draw] = useState(() => untracked(look));
  useLayoutEffect(() => {
    let now;
    let cancel = null;
    const show = () => {
      const shown = now;
      draw(shown);
      cancel = nextFrame(() => {
        cancel = null;
        if (now !== shown) show();
      });
    };
    const stop = effect(() => {
      now = look();
      if (!cancel) show();
    });
    return () => {
      stop();
      cancel?.();
    };
  }, []);
  return seen;
}

/** Pages that nobody looks at have no frames, but time goes on for them. */
function nextFrame(task) {
  const run = () => {
    cancel();
    task();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, 200);
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  return cancel;
}
