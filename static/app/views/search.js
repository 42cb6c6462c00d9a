// Searching: everywhere, from the field in the left column, and within one conversation.

import { html, useEffect, useMemo, useSignal, useState } from '../html.js';
import { conversation, conversations } from '../state/conversations.js';
import { idOf, isRoom, keyOf } from '../state/keys.js';
import { jumpTo } from '../state/jump.js';
import { nameById, nameOf, person } from '../state/people.js';
import { contentOf } from '../state/preview.js';
import { plainText } from '../state/text.js';
import { searchMessages } from '../state/search.js';
import { Avatar } from '../ui/avatar.js';
import { Button, IconButton } from '../ui/button.js';
import { SearchField } from '../ui/field.js';
import { Empty, Loading, walkList } from '../ui/list.js';
import { errorText, t } from '../words/index.js';
import { fullTime, shortTime } from '../words/time.js';
import { Face, Row, Title } from './chats.js';

const WAIT_MS = 250;
/** So much of the text may stand before the first hit. */
const BEFORE = 24;

/** Hits of the server for `text`, asked for when one pauses in writing. */
function useHits(text, key) {
  const [found, setFound] = useState({ messages: [], more: false, busy: true, error: null });
  useEffect(() => {
    if (!text) return setFound({ messages: [], more: false, busy: false, error: null });
    let current = true;
    setFound((before) => ({ ...before, busy: true, error: null }));
    const timer = setTimeout(() => {
      searchMessages(text, { key })
        .then((reply) => ({ ...reply, busy: false }), (error) => ({ messages: [], busy: false, error }))
        .then((next) => current && setFound(next));
    }, WAIT_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, key]);
  const more = async () => {
    setFound((before) => ({ ...before, busy: true }));
    const next = await searchMessages(text, { key, before: found.messages.at(-1).id }).catch((error) => ({ messages: [], error }));
    setFound((before) => ({ ...next, messages: [...before.messages, ...next.messages], busy: false }));
  };
  return [found, more];
}

/** In the left column, in place of the tab: conversations by name, then messages. */
export function SearchResults({ text }) {
  const [found, more] = useHits(text);
  const small = text.toLowerCase();
  const named = conversations.value.filter(({ key, info }) => {
    const name = isRoom(key) ? (info?.name ?? '') : nameOf(person(idOf(key)).value, idOf(key));
    return name.toLowerCase().includes(small);
  });
  const nothing = !named.length && !found.messages.length && !found.busy;
  return html`<div class="list" onKeyDown=${walkList}>
    ${named.length > 0 && html`<h2 class="list-title">${t('searchChats')}</h2>`}
    ${named.slice(0, 8).map((one) => html`<${Row} key=${one.key} one=${one} />`)}
    ${found.messages.length > 0 && html`<h2 class="list-title">${t('searchMessages')}</h2>`}
    ${found.messages.map((message) => html`<${Hit} key=${message.id} message=${message} text=${text} where />`)}
    <${Foot} found=${found} more=${more} />
    ${nothing && !found.error && html`<${Empty} icon="search" title=${t('searchNothing')} text=${t('searchNothingText')} />`}
  </div>`;
}

function Foot({ found, more }) {
  return html`
    ${found.busy && html`<${Loading} />`}
    ${found.error && html`<p class="notice danger" role="alert">${errorText(found.error)}</p>`}
    ${found.more && !found.busy && html`<${Button} kind="plain" wide onClick=${more}>${t('searchMore')}<//>`}`;
}

/** One message that was found; with `where`, also of which conversation. */
function Hit({ message, text, where }) {
  const key = keyOf(message);
  const one = conversation(key) ?? { key };
  const user = person(message.from).value;
  const who = nameById(message.from);
  return html`<button type="button" class="item" onClick=${() => jumpTo(key, message.seq)}>
    ${where ? html`<${Face} of=${one} size=${40} />` : html`<${Avatar} id=${message.from} name=${who} picture=${user?.facePath} size=${36} />`}
    <span class="item-text">
      <span class="item-line">
        <span class="item-name cut">${where ? html`<${Title} of=${one} />` : who}</span>
        <time class="item-time" title=${fullTime(message.time)}>${shortTime(message.time)}</time>
      </span>
      <span class="item-line"><span class="item-last cut">${where && isRoom(key) && `${who}: `}<${Marked} text=${plainText(message) || contentOf(message)} words=${text} /></span></span>
    </span>
  </button>`;
}

/** Where a word begins a little before `at`. Chinese has no spaces, and may begin anywhere. */
function wordNear(text, at) {
  const space = text.slice(at - BEFORE, at).search(/\s(?=\S)/);
  return at - BEFORE + (space < 0 ? BEFORE / 2 : space + 1);
}

/** The text from a little before the first hit, with the words that were looked for marked. */
function Marked({ text, words }) {
  const parts = useMemo(() => {
    const wanted = words.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`(${wanted.join('|')})`, 'gi');
    const at = text.search(pattern);
    return (at > BEFORE ? `…${text.slice(wordNear(text, at))}` : text).split(pattern);
  }, [text, words]);
  return parts.map((part, index) => (index % 2 ? html`<mark>${part}</mark>` : part));
}

/** Below the head of a conversation. */
export function FindHere({ id: key, close }) {
  const wanted = useSignal('');
  const text = wanted.value.trim();
  const [found, more] = useHits(text, key);
  const onKeyDown = (event) => event.key === 'Escape' && (event.preventDefault(), close());
  return html`<div class="find" role="search" onKeyDown=${onKeyDown}>
    <div class="row">
      <div class="grow"><${SearchField} value=${wanted} label=${t('searchHere')} focused /></div>
      <${IconButton} icon="close" label=${t('close')} onClick=${close} />
    </div>
    ${text && html`<div class="find-list list" onKeyDown=${walkList}>
      ${found.messages.map((message) => html`<${Hit} key=${message.id} message=${message} text=${text} />`)}
      <${Foot} found=${found} more=${more} />
      ${!found.busy && !found.error && !found.messages.length && html`<p class="quiet find-nothing">${t('searchNothing')}</p>`}
    </div>`}
  </div>`;
}
