// A room: what it is, who is in it, and what one may do there.

import { html, useEffect, useState } from '../html.js';
import { conversation } from '../state/conversations.js';
import { roomKey } from '../state/keys.js';
import { loadMembers, members } from '../state/members.js';
import { htmlToText } from '../state/text.js';
import { Avatar } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { Loading, walkList } from '../ui/list.js';
import { errorText, t } from '../words/index.js';
import { Action, HereSwitch } from './card-parts.js';
import { Linked } from './content.js';
import { CopyRow } from './copy-row.js';
import { openInvite } from './invite.js';
import { MemberRow } from './member-row.js';
import { askToDelete, askToLeave } from './room-actions.js';
import { openRoomEditor } from './room-edit.js';

const SHOWN = 100;

export function RoomCard({ id, openPerson }) {
  const one = conversation(roomKey(id));
  if (!one) return html`<p class="quiet">${t('gone')}</p>`;
  const { info, role } = one;
  const intro = htmlToText(info.intro ?? '');
  const leads = role === 'creator' || role === 'admin';
  return html`<div class="stack">
    <div class="card-top">
      <${Avatar} id=${id} name=${info.name} picture=${info.avatar} size=${96} room />
      <h3>${info.name}</h3>
      ${intro && html`<p class="card-sign" dir="auto"><${Linked} text=${intro} /></p>`}
    </div>
    <div class="card-buttons">
      <${Button} kind="primary" icon="personAdd" onClick=${() => openInvite(id)}>${t('invite')}<//>
      ${leads && html`<${Button} icon="edit" onClick=${() => openRoomEditor(one)}>${t('editRoom')}<//>`}
    </div>
    <${CopyRow} label=${t('roomNumber')} text=${id} />
    <section class="card-more"><${HereSwitch} one=${one} /></section>
    <${Members} id=${id} one=${one} openPerson=${openPerson} />
    <section class="card-more">
      <${Action} icon="signOut" danger label=${t('leaveRoom')} onClick=${() => askToLeave(id, info.name)} />
      ${role === 'creator' && html`<${Action} icon="trash" danger label=${t('deleteRoom')} onClick=${() => askToDelete(id, info.name)} />`}
    </section>
  </div>`;
}

function Members({ id, one, openPerson }) {
  const list = members(roomKey(id)).value;
  const [error, setError] = useState(null);
  const [shown, setShown] = useState(SHOWN);
  const load = () => {
    setError(null);
    loadMembers(id).catch(setError);
  };
  useEffect(load, [id]);
  return html`<section class="members" aria-busy=${String(!list && !error)}>
    <h3 class="part-title">${list ? t('members', list.length) : t('membersTitle')}</h3>
    ${!list && (error ? html`<p class="notice danger" role="alert">${errorText(error)}</p><${Button} low icon="retry" onClick=${load}>${t('retry')}<//>` : html`<${Loading} />`)}
    <ul onKeyDown=${walkList}>${list?.slice(0, shown).map((member) => html`<${MemberRow} key=${member.id} member=${member} one=${one} openPerson=${openPerson} />`)}</ul>
    ${list?.length > shown && html`<${Button} kind="plain" wide onClick=${() => setShown(shown + SHOWN)}>${t('searchMore')}<//>`}
  </section>`;
}
