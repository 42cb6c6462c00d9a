// Telling of new messages while one looks elsewhere: notifications, the number in the title, the badge on the icon.

import { signal, effect } from '../html.js';
import { openConversation } from '../route.js';
import { me, myId } from '../session.js';
import { peekConversation, totalUnread } from './conversations.js';
import { isRoom, keyOf } from './keys.js';
import { latest } from './messages.js';
import { nameById } from './people.js';
import { contentOf } from './preview.js';

const WANTED = 'nodeim.notify';

/** `unsupported`, or what the browser says: `default`, `granted`, `denied`. */
export const permission = signal('Notification' in window ? Notification.permission : 'unsupported');
/** `on`, `off`, or null while one has not said. */
export const wanted = signal(localStorage.getItem(WANTED));

/** Must be called from a press of a button; browsers refuse to ask otherwise. */
export async function turnOn() {
  permission.value = await Notification.requestPermission();
  want(permission.peek() === 'granted' ? 'on' : 'off');
}

export function want(value) {
  wanted.value = value;
  localStorage.setItem(WANTED, value);
}

const looking = () => document.visibilityState === 'visible' && document.hasFocus();

latest.subscribe((message) => {
  if (!message || message.from === myId() || looking()) return;
  if (wanted.peek() !== 'on' || permission.peek() !== 'granted') return;
  const key = keyOf(message);
  const one = peekConversation(key);
  if (one?.mute) return;
  const name = nameById(message.from);
  const title = isRoom(key) ? `${one?.info?.name ?? ''} · ${name}` : name;
  let note;
  try {
    // One for each conversation: the next replaces it.
    note = new Notification(title, { body: contentOf(message).slice(0, 200), tag: key, renotify: true, icon: '/app/icon.svg' });
  } catch {
    return; // Some phones have the name but not the thing.
  }
  note.onclick = () => {
    window.focus();
    openConversation(key);
    note.close();
  };
});

const icon = (count) => {
  if (!count) return '/app/icon.svg';
  const dot = '<circle cx="48" cy="16" r="15" fill="#d8412f" stroke="#fff" stroke-width="3"/>';
  const text = `<text x="48" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" fill="#fff">${count > 9 ? '9+' : count}</text>`;
  const face = '<rect width="64" height="64" rx="16" fill="#1f6f54"/><path d="M18 17h28a6 6 0 0 1 6 6v17a6 6 0 0 1-6 6H32l-11 8v-8h-3a6 6 0 0 1-6-6V23a6 6 0 0 1 6-6z" fill="#fff"/>';
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">${face}${dot}${text}</svg>`)}`;
};

effect(() => {
  const count = me.value ? totalUnread.value : 0;
  document.title = count ? `(${count > 99 ? '99+' : count}) nodeim` : 'nodeim';
  document.querySelector('link[rel="icon"]').href = icon(count);
  if (count) navigator.setAppBadge?.(count).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
});

