// One member of a room, with the menu of those who may do something with them.

import { html, useEffect, useState } from '../html.js';
import { openConversation } from '../route.js';
import { myId } from '../session.js';
import { idOf, userKey } from '../state/keys.js';
import { nameOf, person } from '../state/people.js';
import { kick, muteMember, setAdmin } from '../state/rooms.js';
import { Avatar } from '../ui/avatar.js';
import { IconButton } from '../ui/button.js';
import { confirm } from '../ui/dialog.js';
import { Icon } from '../ui/icon.js';
import { Item } from '../ui/list.js';
import { openMenu } from '../ui/menu.js';
import { guard, toast } from '../ui/toast.js';
import { presenceWord, t } from '../words/index.js';
import { untilTime } from '../words/time.js';

const MUTES = [10, 60, 1_440];

/** A mute ends without an event. */
function useMuted(until) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const left = until - Date.now();
    if (!(left > 0)) return;
    const timer = setTimeout(() => redraw((n) => n + 1), Math.min(left + 500, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  }, [until]);
  return until > Date.now();
}

export function MemberRow({ member: { id, role, mutedUntil }, one, openPerson }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  const muted = useMuted(mutedUntil);
  const room = idOf(one.key);
  // The creator may do everything, admins what is not done to the creator or themselves.
  const mine = one.role;
  const may = id !== myId() && role !== 'creator' && (mine === 'creator' || mine === 'admin');
  const askToKick = async () => {
    const sure = await confirm({ title: t('kickTitle', name), text: t('kickText'), action: t('kick'), danger: true });
    if (sure) await guard(kick(room, id));
  };
  const mute = (minutes) => guard(muteMember(room, id, minutes).then(() => toast(t(minutes ? 'memberMuted' : 'memberUnmuted', name))));
  const more = (event) =>
    openMenu(event.currentTarget, [
      { label: t('personCard'), icon: 'person', run: () => openPerson(id) },
      id !== myId() && { label: t('message'), icon: 'chats', run: () => openConversation(userKey(id)) },
      mine === 'creator' && may && '-',
      mine === 'creator' && may && { label: t(role === 'admin' ? 'noAdmin' : 'makeAdmin'), icon: 'shield', run: () => guard(setAdmin(room, id, role !== 'admin')) },
      may && '-',
      may && { title: t('mayNotSpeak') },
      ...(may ? MUTES.map((minutes) => ({ label: t('muteFor', minutes), icon: 'muted', run: () => mute(minutes) })) : []),
      may && muted && { label: t('letSpeak'), icon: 'bell', run: () => mute(0) },
      may && '-',
      may && { label: t('kick'), icon: 'signOut', danger: true, run: askToKick },
    ]);
  const end = html`
    ${muted && html`<span title=${t('mutedTill', untilTime(mutedUntil))}><${Icon} name="muted" small label=${t('mutedTill', untilTime(mutedUntil))} /></span>`}
    ${role !== 'member' && html`<span class="tag">${t(role)}</span>`}`;
  return html`<li class="item-with">
    <${Item} onClick=${() => openPerson(id)} name=${id === myId() ? t('nameYou', name) : name} line=${presenceWord(user?.presence)} end=${end}
      avatar=${html`<${Avatar} id=${id} name=${name} picture=${user?.facePath} presence=${user?.presence ?? '离线'} size=${36} />`} />
    <${IconButton} icon="more" label=${t('personMenu', name)} aria-haspopup="menu" onClick=${more} />
  </li>`;
}
