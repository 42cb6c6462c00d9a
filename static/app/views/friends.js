// The tab "Friends".

import { html } from '../html.js';
import { friends } from '../state/friends.js';
import { nameOf, person } from '../state/people.js';
import { hashOf } from '../route.js';
import { userKey } from '../state/keys.js';
import { Avatar } from '../ui/avatar.js';
import { Empty, Item, Loading, walkList } from '../ui/list.js';
import { presenceWord, t } from '../words/index.js';

export function Friends() {
  if (!friends.value) return html`<${Loading} />`;
  if (!friends.value.length) return html`<${Empty} icon="friends" title=${t('friends')} text=${t('comingSoon')} />`;
  return html`<div class="list" onKeyDown=${walkList}>${friends.value.map(({ id }) => html`<${Friend} key=${id} id=${id} />`)}</div>`;
}

function Friend({ id }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  return html`<${Item} href=${hashOf(userKey(id))} name=${name} line=${presenceWord(user?.presence)}
    avatar=${html`<${Avatar} id=${id} name=${name} picture=${user?.facePath} presence=${user?.presence} />`} />`;
}
