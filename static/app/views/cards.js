// Messages with something to do: a friend request to answer, an invitation to follow.

import { html, useState } from '../html.js';
import { answer, isFriend, requests } from '../state/friends.js';
import { conversation } from '../state/conversations.js';
import { joinRoom } from '../state/rooms.js';
import { roomKey } from '../state/keys.js';
import { nameById } from '../state/people.js';
import { plainText } from '../state/text.js';
import { openConversation } from '../route.js';
import { Avatar } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { guard } from '../ui/toast.js';
import { t } from '../words/index.js';
import { fullTime, shortTime } from '../words/time.js';

export function Card({ message, mine, id }) {
  const View = message.type === 'invitation' ? Invitation : Request;
  return html`<div class="card"><${View} message=${message} mine=${mine} id=${id} /></div>`;
}

/** What is said, and when. */
const Line = ({ text, time }) => html`<span class="card-text">
  ${text && `${text} · `}<time class="card-time" title=${fullTime(time)}>${shortTime(time)}</time>
</span>`;

/** Runs one action at a time. */
function useBusy() {
  const [busy, setBusy] = useState('');
  const run = (name, task) => async () => {
    setBusy(name);
    await guard(task());
    setBusy('');
  };
  return [busy, run];
}

function Request({ message, mine }) {
  const [busy, run] = useBusy();
  const { from } = message;
  const text = plainText(message);
  // Only the last of several requests is open, and only while nobody has answered.
  const open = !mine && requests.value.incoming.some((one) => one.user.id === from) && !isFriend(from);
  return html`
    <span class="card-icon"><${Icon} name="personAdd" /></span>
    <p><strong>${mine ? t('requestMine') : t('requestFrom', nameById(from))}</strong><${Line} text=${text} time=${message.time} /></p>
    ${open && html`<span class="card-actions">
      <${Button} kind="primary" low busy=${busy === 'yes'} onClick=${run('yes', () => answer(from, true))}>${t('accept')}<//>
      <${Button} low busy=${busy === 'no'} onClick=${run('no', () => answer(from, false))}>${t('refuse')}<//>
    </span>`}`;
}

function Invitation({ message, mine }) {
  const [busy, run] = useBusy();
  const { room, name } = message.card ?? {};
  const inside = conversation(roomKey(room));
  const go = async () => {
    if (!inside) await joinRoom(room);
    openConversation(roomKey(room));
  };
  return html`
    <${Avatar} id=${room} name=${name} picture=${inside?.info?.avatar} size=${40} room />
    <p><${Line} text=${mine ? t('invitationMine') : t('invitationFrom', nameById(message.from))} time=${message.time} /><strong>${name}</strong></p>
    ${room && html`<span class="card-actions"><${Button} kind=${inside ? '' : 'primary'} low busy=${busy} onClick=${run('go', go)}>${t(inside ? 'openRoom' : 'join')}<//></span>`}`;
}
