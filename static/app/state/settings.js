// How this browser shows the page; kept in it, not in the account.

import { signal, effect } from '../html.js';

/** A signal that is stored; anything but one of the choices counts as the first of them. */
function setting(name, choices) {
  const place = `nodeim.${name}`;
  const stored = localStorage.getItem(place);
  const value = signal(choices.includes(stored) ? stored : choices[0]);
  value.subscribe((now) => (now === choices[0] ? localStorage.removeItem(place) : localStorage.setItem(place, now)));
  return value;
}

/** `theme.js` reads it as well, before the first paint. */
export const theme = setting('theme', ['system', 'light', 'dark']);
/** `words/index.js` reads it when the page is loaded. */
export const languageChoice = setting('language', ['system', 'en', 'zh']);
export const sendKey = setting('sendKey', ['enter', 'ctrl']);
export const sound = setting('sound', ['off', 'on']);

effect(() => {
  const chosen = theme.value;
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  // The browser's own frame around the page.
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    const of = meta.dataset.of;
    meta.media = chosen === 'system' ? `(prefers-color-scheme: ${of})` : chosen === of ? 'all' : 'not all';
  }
});

/** Whether this press of Enter sends; the other one makes a line. */
export const isSendKey = (event) =>
  event.key === 'Enter' && (sendKey.value === 'ctrl' ? event.ctrlKey || event.metaKey : !event.shiftKey);
