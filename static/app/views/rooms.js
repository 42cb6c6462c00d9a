// The tab "Rooms": those that one is in; with words in the search field, those they fit.

import { html } from '../html.js';
import { hashOf, openKey } from '../route.js';
import { listed, rooms } from '../state/conversations.js';
import { htmlToText } from '../state/text.js';
import { Avatar } from '../ui/avatar.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Empty, Item, Loading, walkList } from '../ui/list.js';
import { t } from '../words/index.js';
import { openCreateRoom, openJoinRoom } from './room-actions.js';

export function Rooms({ filter }) {
  if (!listed.value) return html`<${Loading} />`;
  const words = filter.toLowerCase();
  const all = [...rooms.value].sort((a, b) => a.info.name.localeCompare(b.info.name) || a.info.id - b.info.id);
  const list = words ? all.filter(({ info }) => `${info.name} ${info.intro} ${info.id}`.toLowerCase().includes(words)) : all;
  return html`
    <div class="side-actions">
      <${Button} icon="plus" onClick=${openCreateRoom}>${t('createRoom')}<//>
      <${Button} icon="rooms" onClick=${openJoinRoom}>${t('joinRoom')}<//>
    </div>
    ${list.length
      ? html`<div class="list" onKeyDown=${walkList}>${list.map((one) => html`<${Room} key=${one.key} one=${one} />`)}</div>`
      : words
        ? html`<${Empty} icon="search" title=${t('searchNothing')} />`
        : html`<${Empty} icon="rooms" title=${t('noRoomsTitle')} text=${t('noRoomsText')} />`}`;
}

const Room = ({ one: { key, info, unread, mute } }) => html`<${Item} href=${hashOf(key)} name=${info.name} current=${key === openKey.value}
  line=${htmlToText(info.intro ?? '') || t('roomNumbered', info.id)} end=${html`<${Badge} count=${unread} muted=${mute} />`}
  avatar=${html`<${Avatar} id=${info.id} name=${info.name} picture=${info.avatar} room />`} />`;
