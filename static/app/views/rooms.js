// The tab "Rooms".

import { html } from '../html.js';
import { hashOf, openKey } from '../route.js';
import { rooms } from '../state/conversations.js';
import { Avatar } from '../ui/avatar.js';
import { Empty, Item, walkList } from '../ui/list.js';
import { t } from '../words/index.js';

export function Rooms() {
  if (!rooms.value.length) return html`<${Empty} icon="rooms" title=${t('rooms')} text=${t('comingSoon')} />`;
  return html`<div class="list" onKeyDown=${walkList}>
    ${rooms.value.map(({ key, info }) => html`<${Item} key=${key} href=${hashOf(key)} name=${info.name} line=${info.intro} current=${key === openKey.value}
      avatar=${html`<${Avatar} id=${info.id} name=${info.name} picture=${info.avatar} room />`} />`)}
  </div>`;
}
