// Where the user is, kept in the address (`#/u/2`, `#/r/5`, `#/friends`), so that reload and back work.

import { signal, computed } from './html.js';

/**
 * @typedef {object} Route
 * @property {'chats'|'friends'|'rooms'} tab what the left column shows
 * @property {string|null} key the open conversation: `u2` or `r5`
 */

const read = () => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean);

const parts = signal(read());
addEventListener('hashchange', () => {
  parts.value = read();
});

/** The open conversation, as a key. */
export const openKey = computed(() => {
  const [kind, id] = parts.value;
  return (kind === 'u' || kind === 'r') && /^[1-9]\d{0,15}$/.test(id ?? '') ? kind + id : null;
});

/** The tab of the left column outlives the opening of a conversation. */
export const tab = signal('chats');
export const TABS = ['chats', 'friends', 'rooms'];

const followTab = () => {
  const [name] = parts.value;
  if (TABS.includes(name)) tab.value = name;
};
parts.subscribe(followTab);

export const hashOf = (key) => `#/${key[0]}/${key.slice(1)}`;

/** Opens a conversation. */
export function openConversation(key) {
  if (openKey.peek() === key) return;
  location.hash = hashOf(key);
}

/** Shows a tab; on a phone this leaves the conversation. */
export function openTab(name) {
  tab.value = name;
  const hash = `#/${name}`;
  if (openKey.peek() && !matchMedia('(max-width: 760px)').matches) return;
  if (location.hash !== hash) location.hash = hash;
}

/** Back from a conversation to the list, without growing the history by a step each time. */
export function closeConversation() {
  history.replaceState(null, '', `#/${tab.peek()}`);
  parts.value = read();
}
