// Inviting friends into a room.

import { html, useEffect, useSignal, useState } from '../html.js';
import { friends } from '../state/friends.js';
import { roomKey } from '../state/keys.js';
import { loadMembers, members } from '../state/members.js';
import { nameById, nameOf, person } from '../state/people.js';
import { invite } from '../state/rooms.js';
import { Avatar } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { Dialog, openDialog } from '../ui/dialog.js';
import { SearchField } from '../ui/field.js';
import { Empty, Loading } from '../ui/list.js';
import { toast } from '../ui/toast.js';
import { errorText, t } from '../words/index.js';
import { CopyRow } from './copy-row.js';
import { openFindPeople } from './find-people.js';

const MAX = 50;

function Invite({ id, close }) {
  const wanted = useSignal('');
  const chosen = useSignal(new Set());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const inside = members(roomKey(id)).value;
  useEffect(() => {
    if (!inside) loadMembers(id).catch(setError);
  }, []);
  const toggle = (friend) => {
    const next = new Set(chosen.peek());
    if (!next.delete(friend)) next.add(friend);
    chosen.value = next;
  };
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      const invited = await invite(id, [...chosen.peek()]);
      toast(invited.length ? t('invited', invited.length) : t('nobodyInvited'));
      close(invited);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const all = friends.value;
  const words = wanted.value.trim().toLowerCase();
  const list = (all ?? []).filter((friend) => nameById(friend.id).toLowerCase().includes(words));
  const count = chosen.value.size;
  const foot = all?.length > 0 && html`
    <${Button} onClick=${() => close()}>${t('cancel')}<//>
    <${Button} kind="primary" disabled=${!count} busy=${busy} onClick=${send}>${t('inviteCount', count)}<//>`;
  return html`<${Dialog} title=${t('inviteTitle')} close=${close} foot=${foot}>
    <div class="stack">
      <${CopyRow} label=${t('roomNumberShare')} text=${id} />
      ${all?.length > 8 && html`<${SearchField} value=${wanted} label=${t('searchFriends')} />`}
      ${error && html`<p class="notice danger" role="alert">${errorText(error)}</p>`}
      ${!all && html`<${Loading} />`}
      ${all?.length === 0 && html`<${Empty} icon="friends" title=${t('noFriendsTitle')} text=${t('inviteNobody')}>
        <${Button} kind="primary" icon="personAdd" onClick=${() => (close(), openFindPeople())}>${t('findPeople')}<//>
      <//>`}
      <div class="picks" role="group" aria-label=${t('friends')}>
        ${list.map((friend) => {
          const isIn = inside?.some((member) => member.id === friend.id);
          const isChosen = chosen.value.has(friend.id);
          return html`<${Pick} key=${friend.id} id=${friend.id} isIn=${isIn} checked=${isChosen} disabled=${isIn || (!isChosen && count >= MAX)} onChange=${() => toggle(friend.id)} />`;
        })}
      </div>
    </div>
  <//>`;
}

function Pick({ id, isIn, ...rest }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  return html`<label class="item pick">
    <input type="checkbox" ...${rest} />
    <${Avatar} id=${id} name=${name} picture=${user?.facePath} presence=${user?.presence ?? '离线'} size=${36} />
    <span class="item-name cut">${name}</span>
    ${isIn && html`<span class="tag">${t('isMember')}</span>`}
  </label>`;
}

export const openInvite = (id) => openDialog(Invite, { id });
