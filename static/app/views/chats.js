// The tab "Chats": the list of conversations.

import { html, cls } from '../html.js';
import { hashOf, openConversation, openKey, openTab } from '../route.js';
import { conversations, listed, mute } from '../state/conversations.js';
import { nameOf, person } from '../state/people.js';
import { idOf, isRoom } from '../state/keys.js';
import { markRead } from '../state/messages.js';
import { typists } from '../state/typing.js';
import { Avatar } from '../ui/avatar.js';
import { Badge } from '../ui/badge.js';
import { Icon } from '../ui/icon.js';
import { Empty, Loading, walkList } from '../ui/list.js';
import { openMenu } from '../ui/menu.js';
import { guard } from '../ui/toast.js';
import { t } from '../words/index.js';
import { shortTime, fullTime } from '../words/time.js';
import { previewOf } from '../state/preview.js';
import { composing } from './composing.js';
import { NotifyHint } from './notify.js';
import { Welcome } from './welcome.js';

export function Chats() {
  if (!listed.value) return html`<${Loading} />`;
  if (!conversations.value.length) {
    return html`<${Empty} icon="chats" title=${t('noChatsTitle')} text=${t('noChatsText')} /><${Welcome} />`;
  }
  return html`<${NotifyHint} /><div class="list" onKeyDown=${walkList}>${conversations.value.map((one) => html`<${Row} key=${one.key} one=${one} />`)}</div>`;
}

/** A conversation as one row; also for the search. */
export function Row({ one, line }) {
  const { key, last, unread } = one;
  const writing = typists(key).length > 0;
  const open = openKey.value === key;
  const { text, editing } = composing(key).value;
  const draft = !open && !editing && text.trim();
  const onContextMenu = (event) => {
    event.preventDefault();
    openMenu(event.currentTarget, menuOf(one), event.clientX ? { x: event.clientX, y: event.clientY } : undefined);
  };
  return html`<a class=${cls('item', { unread })} onContextMenu=${onContextMenu} href=${hashOf(key)} aria-current=${open ? 'page' : undefined}>
    <${Face} of=${one} />
    <span class="item-text">
      <span class="item-line">
        <span class="item-name cut"><${Title} of=${one} /></span>
        ${one.mute && html`<${Icon} name="muted" small label=${t('muted')} />`}
        ${last && html`<time class="item-time" title=${fullTime(last.time)}>${shortTime(last.time)}</time>`}
      </span>
      <span class="item-line">
        <span class="item-last cut">${line ?? (writing ? html`<span class="typing">${t('typing')}</span>` : draft ? html`<span class="draft">${t('draft')}</span> ${draft}` : last ? previewOf(last) : one.info?.intro || t('noMessagesText'))}</span>
        <${Badge} count=${unread} muted=${one.mute} />
      </span>
    </span>
  </a>`;
}

const menuOf = ({ key, unread, mute: muted }) => [
  { label: t('open'), icon: 'chats', run: () => openConversation(key) },
  unread > 0 && { label: t('markRead'), icon: 'checks', run: () => markRead(key) },
  { label: t(muted ? 'unmute' : 'mute'), icon: muted ? 'bell' : 'muted', run: () => guard(mute(key, !muted)) },
];

/** The name of a conversation. */
export function Title({ of: { key, info } }) {
  return isRoom(key) ? (info?.name ?? `#${idOf(key)}`) : nameOf(person(idOf(key)).value, idOf(key));
}

/** The picture of a conversation. */
export function Face({ of: { key, info }, size }) {
  const id = idOf(key);
  if (isRoom(key)) return html`<${Avatar} id=${id} name=${info?.name} picture=${info?.avatar} size=${size} room />`;
  const user = person(id).value;
  return html`<${Avatar} id=${id} name=${nameOf(user, id)} picture=${user?.facePath} presence=${user?.presence ?? '离线'} size=${size} />`;
}
