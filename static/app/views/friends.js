// The tab "Friends": requests, then the friends in their groups; with words in the search field, those they fit.

import { html, cls, signal, useId } from '../html.js';
import { hashOf, openConversation, openKey } from '../route.js';
import { friends, requests } from '../state/friends.js';
import { groupNames, removeGroup, renameGroup } from '../state/groups.js';
import { isBlocked } from '../state/blocks.js';
import { userKey } from '../state/keys.js';
import { nameOf, person } from '../state/people.js';
import { Avatar } from '../ui/avatar.js';
import { Button, IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Empty, Item, Loading, walkList } from '../ui/list.js';
import { openMenu } from '../ui/menu.js';
import { guard } from '../ui/toast.js';
import { presenceWord, t } from '../words/index.js';
import { openFindPeople } from './find-people.js';
import { checkName } from './names.js';
import { block, chooseGroup, newGroup, removeFriend } from './person-actions.js';
import { openPerson } from './person.js';
import { prompt } from './prompt.js';
import { Requests } from './requests.js';

const isHere = (user) => Boolean(user?.presence) && user.presence !== '离线';

/** Who is here comes first, then by name. */
function sorted(list) {
  const seen = list.map((friend) => ({ ...friend, user: person(friend.id).value }));
  return seen.sort((a, b) => isHere(b.user) - isHere(a.user) || nameOf(a.user, a.id).localeCompare(nameOf(b.user, b.id)));
}

export function Friends({ filter }) {
  const list = friends.value;
  if (!list) return html`<${Loading} />`;
  if (filter) return html`<${Found} list=${sorted(list)} filter=${filter} />`;
  const { incoming, outgoing } = requests.value;
  const open = incoming.length + outgoing.length;
  const nobody = !list.length && !groupNames.value.length;
  return html`
    <div class="side-actions">
      <${Button} icon="personAdd" onClick=${() => openFindPeople()}>${t('findPeople')}<//>
      <${Button} icon="plus" onClick=${() => newGroup()}>${t('newGroup')}<//>
    </div>
    <div class="list" onKeyDown=${walkList}>
      ${open > 0 && html`<${Requests} incoming=${incoming} outgoing=${outgoing} />`}
      ${nobody && !open && html`<${Empty} icon="friends" title=${t('noFriendsTitle')} text=${t('noFriendsText')} />`}
      ${!nobody && html`<${Groups} list=${list} />`}
    </div>`;
}

function Found({ list, filter }) {
  const words = filter.toLowerCase();
  const found = list.filter(({ id, user }) => `${user?.nick ?? ''} ${user?.username ?? ''} ${id}`.toLowerCase().includes(words));
  return html`<div class="list" onKeyDown=${walkList}>
    ${found.map((one) => html`<${Friend} key=${one.id} one=${one} />`)}
    ${!found.length && html`<${Empty} icon="search" title=${t('searchNothing')} text=${t('noFriendFound')}>
      <${Button} icon="personAdd" onClick=${() => openFindPeople(filter)}>${t('findPeople')}<//>
    <//>`}
  </div>`;
}

function Groups({ list }) {
  const all = sorted(list);
  const rest = all.filter((one) => !one.group);
  return html`
    ${(rest.length > 0 || !groupNames.value.length) && html`<${Group} key="" title=${t('ungrouped')} list=${rest} />`}
    ${groupNames.value.map((name) => html`<${Group} key=${`g${name}`} name=${name} title=${name} list=${all.filter((one) => one.group === name)} />`)}`;
}

const FOLDED = 'nodeim.folded';
const folded = signal(new Set(JSON.parse(localStorage.getItem(FOLDED) ?? '[]')));
function fold(name) {
  const next = new Set(folded.peek());
  if (!next.delete(name)) next.add(name);
  folded.value = next;
  localStorage.setItem(FOLDED, JSON.stringify([...next]));
}

function Group({ name = '', title, list }) {
  const id = useId();
  const open = !folded.value.has(name);
  const here = list.filter((one) => isHere(one.user)).length;
  const openMore = (event) =>
    openMenu(event.currentTarget, [
      { label: t('renameGroup'), icon: 'edit', run: () => rename(name) },
      { label: t('removeGroup'), hint: list.length > 0 && t('removeGroupHint'), icon: 'trash', disabled: list.length > 0, run: () => guard(removeGroup(name)) },
    ]);
  return html`<section class="group">
    <div class="group-head">
      <button type="button" class="group-fold" aria-expanded=${String(open)} aria-controls=${id} onClick=${() => fold(name)}>
        <${Icon} name=${open ? 'down' : 'forward'} small />
        <span class="cut">${title}</span>
        <span class="group-count" aria-label=${t('groupCount', here, list.length)}>${here}/${list.length}</span>
      </button>
      ${name && html`<${IconButton} icon="more" label=${t('groupMenu', name)} aria-haspopup="menu" onClick=${openMore} />`}
    </div>
    <div id=${id} hidden=${!open}>
      ${open && list.map((one) => html`<${Friend} key=${one.id} one=${one} />`)}
      ${open && !list.length && html`<p class="group-empty quiet small">${t('emptyGroup')}</p>`}
    </div>
  </section>`;
}

function rename(name) {
  const check = (next) => checkName(next) ?? (next !== name && groupNames.value.includes(next) ? t('groupTaken') : undefined);
  const run = (next) => (next === name ? undefined : renameGroup(name, next));
  return prompt({ title: t('renameGroup'), label: t('groupName'), value: name, action: t('save'), max: 64, check, run });
}

function Friend({ one: { id, user, group } }) {
  const name = nameOf(user, id);
  const key = userKey(id);
  const more = (event, point) => {
    const anchor = event.currentTarget;
    openMenu(
      anchor,
      [
        { label: t('message'), icon: 'chats', run: () => openConversation(key) },
        { label: t('personCard'), icon: 'person', run: () => openPerson(id) },
        { label: t('moveToGroup'), icon: 'friends', run: () => chooseGroup(anchor, id, group) },
        '-',
        { label: t('unfriend'), icon: 'trash', danger: true, run: () => removeFriend(id) },
        !isBlocked(id) && { label: t('block'), icon: 'block', danger: true, run: () => block(id) },
      ],
      point,
    );
  };
  const onContextMenu = (event) => {
    event.preventDefault();
    more(event, { x: event.clientX, y: event.clientY });
  };
  return html`<div class=${cls('item-with', { current: openKey.value === key })} onContextMenu=${onContextMenu}>
    <${Item} href=${hashOf(key)} name=${name} line=${user?.sign || presenceWord(user?.presence)} current=${openKey.value === key}
      avatar=${html`<${Avatar} id=${id} name=${name} picture=${user?.facePath} presence=${user?.presence ?? '离线'} />`} />
    <${IconButton} icon="more" label=${t('personMenu', name)} aria-haspopup="menu" onClick=${more} />
  </div>`;
}
