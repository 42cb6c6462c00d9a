// A person's card: who they are, and what one can do with them.

import { html, useEffect } from '../html.js';
import { openConversation, openKey } from '../route.js';
import { myId } from '../session.js';
import { isBlocked } from '../state/blocks.js';
import { conversation, refreshOne } from '../state/conversations.js';
import { friends, hasAsked, isAsked, isFriend } from '../state/friends.js';
import { userKey } from '../state/keys.js';
import { nameOf, person, want } from '../state/people.js';
import { Avatar, Dot } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { presenceWord, t } from '../words/index.js';
import { Action, Facts, HereSwitch } from './card-parts.js';
import { accept, addFriend, block, chooseGroup, refuseWithNote, removeFriend, unblock, withdraw } from './person-actions.js';
import { openProfile } from './profile.js';

const SEX = { 1: 'male', 2: 'female' };

export function PersonCard({ id }) {
  const user = person(id).value;
  const key = userKey(id);
  useEffect(() => {
    want(id);
    // Whether it is muted and blocked is told with the conversation.
    if (id !== myId() && !conversation(key)) refreshOne(key).catch(() => {});
  }, [id]);
  const name = nameOf(user, id);
  const sex = SEX[user?.sex];
  return html`<div class="stack">
    <div class="card-top">
      <${Avatar} id=${id} name=${name} picture=${user?.facePath} size=${96} />
      <h3>${name}</h3>
      <p class="card-presence quiet"><${Dot} presence=${user?.presence ?? '离线'} /><span aria-hidden="true">${presenceWord(user?.presence)}</span></p>
      ${user?.sign && typeof user.sign === 'string' && html`<p class="card-sign">${user.sign}</p>`}
    </div>
    ${id === myId() ? html`<${Button} icon="edit" wide onClick=${openProfile}>${t('editProfile')}<//>` : html`<${Main} id=${id} />`}
    <${Facts} facts=${[
      [t('username'), user?.username],
      [t('number'), id],
      [t('sex'), sex && t(sex)],
    ]} />
    ${id !== myId() && html`<${More} id=${id} one=${conversation(key)} />`}
  </div>`;
}

/** The one or two things that one most likely wants. */
function Main({ id }) {
  const key = userKey(id);
  if (isBlocked(id)) {
    return html`<p class="notice warn"><${Icon} name="block" small />${t('blockedThem')}</p>
      <${Button} wide onClick=${() => unblock(id)}>${t('unblock')}<//>`;
  }
  const message = openKey.value !== key && html`<${Button} kind="primary" icon="chats" onClick=${() => openConversation(key)}>${t('message')}<//>`;
  if (isFriend(id)) return message && html`<div class="card-buttons">${message}</div>`;
  if (hasAsked(id)) {
    return html`<p class="notice">${t('wantsFriend')}</p>
      <div class="card-buttons">
        <${Button} kind="primary" icon="check" onClick=${() => accept(id)}>${t('accept')}<//>
        <${Button} onClick=${() => refuseWithNote(id)}>${t('refuse')}<//>
      </div>`;
  }
  const add = isAsked(id)
    ? html`<${Button} onClick=${() => withdraw(id)}>${t('withdraw')}<//>`
    : html`<${Button} icon="personAdd" onClick=${() => addFriend(id)}>${t('addFriend')}<//>`;
  return html`<div class="card-buttons">${message}${add}</div>`;
}

function More({ id, one }) {
  const friend = friends.value?.find((other) => other.id === id);
  return html`<section class="card-more">
    ${one && html`<${HereSwitch} one=${one} />`}
    ${friend && html`<${Action} icon="friends" label=${t('group')} value=${friend.group ?? t('ungrouped')}
      onClick=${(event) => chooseGroup(event.currentTarget, id, friend.group)} aria-haspopup="menu" />`}
    ${friend && html`<${Action} icon="trash" danger label=${t('unfriend')} onClick=${() => removeFriend(id)} />`}
    ${!isBlocked(id) && html`<${Action} icon="block" danger label=${t('block')} onClick=${() => block(id)} />`}
  </section>`;
}
