// The frame after signing in: the left column, the conversation, the details panel, and the banner while offline.

import { html, cls, useEffect } from '../html.js';
import { status } from '../connection.js';
import { openKey } from '../route.js';
import { conversations, listed } from '../state/conversations.js';
import { Empty } from '../ui/list.js';
import { t } from '../words/index.js';
import { Conversation } from './conversation.js';
import { Details, details, closeDetails } from './details.js';
import { useLostRooms } from './room-actions.js';
import { Side } from './side.js';
import { Welcome } from './welcome.js';

export function Shell() {
  const key = openKey.value;
  useLostRooms();
  useEffect(() => closeDetails(), [key]);
  return html`<div class=${cls('shell', { 'has-open': key, 'with-details': details.value })}>
    <${Side} />
    <main class="middle">
      <${Banner} />
      ${key ? html`<${Conversation} key=${key} id=${key} />` : html`<${Nothing} />`}
    </main>
    ${details.value && html`<${Details} />`}
  </div>`;
}

export function Banner() {
  if (status.value !== 'offline') return null;
  return html`<p class="banner" role="status"><span class="spinner" />${t('offlineBanner')}</p>`;
}

function Nothing() {
  return conversations.value.length
    ? html`<${Empty} icon="chats" title=${t('pickTitle')} text=${t('pickText')} />`
    : listed.value && html`<${Welcome} />`;
}
