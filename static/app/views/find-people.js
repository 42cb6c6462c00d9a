// Finding people, by their user name or number.

import { html, useEffect, useSignal, useState } from '../html.js';
import { openConversation } from '../route.js';
import { me, myId } from '../session.js';
import { hasAsked, isAsked, isFriend } from '../state/friends.js';
import { userKey } from '../state/keys.js';
import { findPeople, nameOf, person } from '../state/people.js';
import { Avatar } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { Dialog, openDialog } from '../ui/dialog.js';
import { SearchField } from '../ui/field.js';
import { Empty, Loading } from '../ui/list.js';
import { errorText, presenceWord, t } from '../words/index.js';
import { CopyRow } from './copy-row.js';
import { accept, addFriend } from './person-actions.js';

const WAIT_MS = 300;

const NONE = { ids: [], busy: false, error: null };

function FindPeople({ text = '', close }) {
  const wanted = useSignal(text);
  const [found, setFound] = useState(NONE);
  const words = wanted.value.trim();
  useEffect(() => {
    if (!words) return setFound(NONE);
    let current = true;
    setFound((before) => ({ ...before, busy: true, error: null }));
    const timer = setTimeout(() => {
      findPeople(words)
        .then((ids) => ({ ...NONE, ids }), (error) => ({ ...NONE, error }))
        .then((next) => current && setFound(next));
    }, WAIT_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [words]);
  return html`<${Dialog} title=${t('findPeople')} close=${close} class="find-people">
    <${SearchField} value=${wanted} label=${t('findPeopleLabel')} autofocus />
    <div class="find-results" aria-live="polite" aria-busy=${String(found.busy)}>
      ${found.error && html`<p class="notice danger" role="alert">${errorText(found.error)}</p>`}
      ${found.ids.map((id) => html`<${Found} key=${id} id=${id} close=${close} />`)}
      ${found.busy && !found.ids.length && html`<${Loading} />`}
      ${words && !found.busy && !found.error && !found.ids.length && html`<${Empty} icon="search" title=${t('nobodyTitle')} text=${t('nobodyText')} />`}
      ${!words && html`<div class="stack">
        <p class="quiet">${t('findPeopleText')}</p>
        <${CopyRow} label=${t('myNumber')} text=${me.value?.username ?? ''} shown=${t('nameAndNumber', me.value?.username, myId())} />
      </div>`}
    </div>
  <//>`;
}

function Found({ id, close }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  const go = () => {
    close();
    openConversation(userKey(id));
  };
  return html`<article class="found">
    <${Avatar} id=${id} name=${name} picture=${user?.facePath} presence=${user?.presence} size=${56} />
    <div class="grow">
      <h3 class="cut">${name}</h3>
      <p class="quiet small">${t('nameAndNumber', user?.username, id)} · ${presenceWord(user?.presence)}</p>
      ${user?.sign && html`<p class="small found-sign">${user.sign}</p>`}
    </div>
    ${id === myId()
      ? html`<span class="tag">${t('thisIsYou')}</span>`
      : html`<div class="found-actions">
          <${AddButton} id=${id} />
          <${Button} low icon="chats" onClick=${go}>${t('message')}<//>
        </div>`}
  </article>`;
}

function AddButton({ id }) {
  if (isFriend(id)) return html`<span class="tag">${t('isFriend')}</span>`;
  if (isAsked(id)) return html`<span class="tag">${t('isAsked')}</span>`;
  if (hasAsked(id)) return html`<${Button} kind="primary" low icon="check" onClick=${() => accept(id)}>${t('accept')}<//>`;
  return html`<${Button} kind="primary" low icon="personAdd" onClick=${() => addFriend(id)}>${t('addFriend')}<//>`;
}

export const openFindPeople = (text) => openDialog(FindPeople, { text });
