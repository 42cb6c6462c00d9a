// Friend requests: to answer, and to wait for.

import { html, useState } from '../html.js';
import { answer } from '../state/friends.js';
import { nameOf, person } from '../state/people.js';
import { htmlToText } from '../state/text.js';
import { Avatar } from '../ui/avatar.js';
import { Button, IconButton } from '../ui/button.js';
import { openMenu } from '../ui/menu.js';
import { guard } from '../ui/toast.js';
import { t } from '../words/index.js';
import { fullTime, shortTime } from '../words/time.js';
import { block, refuseWithNote, withdraw } from './person-actions.js';
import { openPerson } from './person.js';

export function Requests({ incoming, outgoing }) {
  return html`<section class="requests" aria-label=${t('requests')}>
    ${incoming.length > 0 && html`<h2 class="list-title">${t('requestsIn')}</h2>`}
    ${incoming.map((one) => html`<${Incoming} key=${`i${one.user.id}`} one=${one} />`)}
    ${outgoing.length > 0 && html`<h2 class="list-title">${t('requestsOut')}</h2>`}
    ${outgoing.map((one) => html`<${Outgoing} key=${`o${one.user.id}`} one=${one} />`)}
  </section>`;
}

/** Who, when, and what they wrote. */
function Request({ one: { user: { id }, text, time }, children, note }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  return html`<div class="request">
    <button type="button" class="face" aria-label=${t('cardOf', name)} onClick=${() => openPerson(id)}>
      <${Avatar} id=${id} name=${name} picture=${user?.facePath} />
    </button>
    <div class="grow">
      <p class="item-line"><strong class="item-name cut">${name}</strong>${time && html`<time class="item-time" title=${fullTime(time)}>${shortTime(time)}</time>`}</p>
      <p class="request-text">${htmlToText(text ?? '') || note}</p>
      <div class="request-actions">${children}</div>
    </div>
  </div>`;
}

function Incoming({ one }) {
  const { id } = one.user;
  const [busy, setBusy] = useState('');
  const run = (name, accept) => async () => {
    setBusy(name);
    await guard(answer(id, accept));
    setBusy('');
  };
  const openMore = (event) =>
    openMenu(event.currentTarget, [
      { label: t('refuseWithNote'), icon: 'edit', run: () => refuseWithNote(id) },
      { label: t('block'), icon: 'block', danger: true, run: () => block(id) },
    ]);
  return html`<${Request} one=${one} note=${t('wantsFriend')}>
    <${Button} kind="primary" low busy=${busy === 'yes'} onClick=${run('yes', true)}>${t('accept')}<//>
    <${Button} low busy=${busy === 'no'} onClick=${run('no', false)}>${t('refuse')}<//>
    <${IconButton} icon="more" label=${t('more')} aria-haspopup="menu" onClick=${openMore} />
  <//>`;
}

const Outgoing = ({ one }) => html`<${Request} one=${one} note=${t('waitsForAnswer')}>
  <${Button} low onClick=${() => withdraw(one.user.id)}>${t('withdraw')}<//>
<//>`;
