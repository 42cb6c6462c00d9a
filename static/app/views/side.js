// The left column: me, the search field, the tabs, and what the chosen tab shows.

import { html, useEffect, useSignal } from '../html.js';
import { me, signOut } from '../session.js';
import { openTab, tab, TABS } from '../route.js';
import { totalUnread } from '../state/conversations.js';
import { incomingCount } from '../state/friends.js';
import { nameOf } from '../state/people.js';
import { CHOICES, setPresence } from '../state/presence.js';
import { Avatar, Dot } from '../ui/avatar.js';
import { SearchField } from '../ui/field.js';
import { Icon } from '../ui/icon.js';
import { openMenu } from '../ui/menu.js';
import { Tabs } from '../ui/tabs.js';
import { guard } from '../ui/toast.js';
import { presenceWord, t } from '../words/index.js';
import { Chats } from './chats.js';
import { Friends } from './friends.js';
import { openProfile } from './profile.js';
import { Rooms } from './rooms.js';
import { SearchResults } from './search.js';
import { openSettings } from './settings/index.js';

const VIEWS = { chats: Chats, friends: Friends, rooms: Rooms };
const ICONS = { chats: 'chats', friends: 'friends', rooms: 'rooms' };
const SEARCHES = { chats: 'search', friends: 'searchFriends', rooms: 'searchRooms' };

export function Side() {
  const wanted = useSignal('');
  const filter = wanted.value.trim();
  const View = VIEWS[tab.value];
  const counts = { chats: totalUnread.value, friends: incomingCount.value };
  const tabs = TABS.map((id) => ({ id, label: t(id), icon: ICONS[id], count: counts[id] }));
  const choose = (id) => {
    wanted.value = '';
    openTab(id);
  };
  useEffect(() => {
    const onKeyDown = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== 'k') return;
      event.preventDefault();
      document.querySelector('.side-search input')?.focus();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  const intoList = (event) => {
    event.preventDefault();
    document.querySelector('#side-body .item')?.focus();
  };
  return html`<nav class="side" aria-label=${t(tab.value)}>
    <h1 class="hidden-label">nodeim</h1>
    <header class="side-head"><${Me} /></header>
    <div class="side-search" role="search"><${SearchField} value=${wanted} label=${t(SEARCHES[tab.value])} onDown=${intoList} /></div>
    <div class="side-tabs"><${Tabs} tabs=${tabs} chosen=${tab.value} choose=${choose} label="nodeim" panel="side-body" /></div>
    <div class="side-body" id="side-body" role="tabpanel" aria-label=${t(tab.value)}>
      ${filter && tab.value === 'chats' ? html`<${SearchResults} text=${filter} />` : html`<${View} filter=${filter} />`}
    </div>
  </nav>`;
}

function Me() {
  const { id, presence, facePath } = me.value;
  const name = nameOf(me.value);
  const open = (event) =>
    openMenu(event.currentTarget, [
      { title: t('status') },
      ...CHOICES.map((value) => ({
        label: presenceWord(value),
        hint: value === '隐身' && t('invisibleHint'),
        mark: html`<${Dot} presence=${value} />`,
        checked: value === presence,
        run: () => guard(setPresence(value)),
      })),
      '-',
      { label: t('myProfile'), icon: 'person', run: openProfile },
      { label: t('settings'), icon: 'settings', run: openSettings },
      '-',
      { label: t('signOut'), icon: 'signOut', run: () => signOut() },
    ]);
  return html`<button type="button" class="side-me" aria-haspopup="menu" onClick=${open}>
    <${Avatar} id=${id} name=${name} picture=${facePath} presence=${presence} size=${40} />
    <span class="grow"><strong class="cut">${name}</strong><small>${presenceWord(presence)}</small></span>
    <span class="hidden-label">${t('myMenu')}</span>
    <${Icon} name="down" small />
  </button>`;
}
