// One row of a conversation: a bubble with its sender, or a line in the middle for what merely happened.

import { html, cls, useRef } from '../html.js';
import { myId } from '../session.js';
import { cancelUpload, canUploadAgain, uploadAgain } from '../state/uploads.js';
import { discard, sendAgain } from '../state/outbox.js';
import { nameById, person } from '../state/people.js';
import { contentOf } from '../state/preview.js';
import { Avatar } from '../ui/avatar.js';
import { Button, IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { errorText, t } from '../words/index.js';
import { clockTime, dayName, fullTime } from '../words/time.js';
import { Card } from './cards.js';
import { Content, isBigEmoji, Quote } from './content.js';
import { openMessageMenu } from './message-menu.js';
import { openPerson } from './person.js';
import { replyTo } from './composing.js';

const SAID = new Set(['text', 'image', 'file']);
const HOLD_MS = 500;

export function Row({ message, day, divider, conversation: key, mine, ...rest }) {
  return html`
    ${day && html`<p class="day"><span>${dayName(message.time)}</span></p>`}
    ${divider && html`<p class="divider"><span>${t('newMessages')}</span></p>`}
    ${SAID.has(message.type)
      ? html`<${Message} message=${message} mine=${mine} at=${key} ...${rest} />`
      : html`<${Happening} message=${message} mine=${mine} at=${key} />`}`;
}

function Message({ message, first, last, mine, isRead, faced, at: key }) {
  const row = useRef();
  const hold = useRef(0);
  const { from, seq, time } = message;
  const openAt = (anchor, point) => openMessageMenu(anchor, message, key, point);
  const onContextMenu = (event) => {
    // Links and pictures keep the browser's own menu.
    if (event.target.closest('a, img')) return;
    event.preventDefault();
    letGo();
    openAt(row.current, event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : undefined);
  };
  // A long press, where the browser has no `contextmenu` for it. The menu opens when the finger is lifted, or the
  // lifting would close it.
  const onTouchStart = ({ touches: [{ clientX: x, clientY: y }] }) => {
    letGo();
    hold.current = setTimeout(() => (hold.held = { x, y }), HOLD_MS);
  };
  const letGo = () => {
    clearTimeout(hold.current);
    hold.held = null;
  };
  const onTouchEnd = (event) => {
    const point = hold.held;
    letGo();
    if (!point) return;
    event.preventDefault();
    openAt(row.current, point);
  };
  return html`<div ref=${row} class=${cls('message', { mine, first, last, faced })} data-seq=${seq} tabindex="-1"
    onContextMenu=${onContextMenu} onTouchStart=${onTouchStart} onTouchEnd=${onTouchEnd} onTouchMove=${letGo} onTouchCancel=${letGo}>
    ${faced && (last ? html`<${Sender} id=${from} />` : html`<span class="message-space" />`)}
    <div class=${cls('bubble', { big: isBigEmoji(message), picture: message.type === 'image' })}>
      ${faced && first && html`<${SenderName} id=${from} />`}
      <span class="hidden-label">${mine ? t('you') : nameById(from)}:</span>
      ${message.reply && html`<${Quote} of=${message.reply} id=${key} />`}
      <${Content} message=${message} id=${key} />
      <span class="meta">
        ${message.edited && html`<span title=${fullTime(message.edited)}>${t('edited')}</span>`}
        <time datetime=${new Date(time).toISOString()} title=${fullTime(time)}>${clockTime(time)}</time>
        ${mine && html`<${Ticks} isRead=${isRead} />`}
      </span>
    </div>
    <span class="message-tools">
      <${IconButton} icon="reply" label=${t('reply')} tabindex="-1" onClick=${() => replyTo(key, message)} />
      <${IconButton} icon="more" label=${t('messageMenu')} class="message-more" tabindex="-1" aria-haspopup="menu" onClick=${(event) => openAt(event.currentTarget)} />
    </span>
  </div>`;
}

const Ticks = ({ isRead }) => html`<${Icon} name=${isRead ? 'checks' : 'check'} small label=${t(isRead ? 'read' : 'sent')} />`;

function Sender({ id }) {
  const user = person(id).value;
  const name = nameById(id);
  return html`<button type="button" class="message-face" tabindex="-1" aria-label=${name} onClick=${() => openPerson(id)}>
    <${Avatar} id=${id} name=${name} picture=${user?.facePath} size=${36} />
  </button>`;
}

const SenderName = ({ id }) =>
  html`<span class="sender" style=${{ '--hue': String((id * 67 + 140) % 360) }}>${nameById(id)}</span>`;

/** Requests, invitations, recalls: lines and cards in the middle. */
function Happening({ message, mine, at: key }) {
  const isCard = message.type === 'invitation' || message.type === 'friend-request';
  return html`<div class="happening message" data-seq=${message.seq} tabindex="-1">
    ${isCard
      ? html`<${Card} message=${message} mine=${mine} id=${key} />`
      : html`<span title=${fullTime(message.time)}>${lineOf(message, mine)}</span>`}
  </div>`;
}

function lineOf(message, mine) {
  const name = nameById(mine ? (message.to ?? myId()) : message.from);
  if (message.type === 'friend-agreed') return t(mine ? 'agreedMine' : 'agreedFrom', name);
  if (message.type === 'friend-refused') return mine ? t('refusedMine') : t('refusedFrom', name);
  return contentOf(message);
}

/** Mine, on its way. */
export function PendingRow({ pending }) {
  const { cid, state, text, reply, file, upload, key, error } = pending;
  const shown = { type: file || upload ? (upload?.preview || file?.width ? 'image' : 'file') : 'text', format: 'plain', text, file: file ?? upload };
  const failed = state === 'failed';
  const again = () => (upload && !file ? uploadAgain(cid) : sendAgain(cid));
  const canAgain = !upload || file || canUploadAgain(cid);
  return html`<div class=${cls('message mine first last pending', { failed })}>
    <div class=${cls('bubble', { big: isBigEmoji(shown), picture: shown.type === 'image' })}>
      ${reply && html`<${Quote} of=${reply} id=${key} />`}
      <${Content} message=${shown} id=${key} progress=${state === 'uploading' ? upload.progress : undefined} cancel=${() => cancelUpload(cid)} />
      <span class="meta">
        ${failed ? html`<${Icon} name="warning" small label=${t('failed')} />` : html`<${Icon} name="clock" small label=${t(state === 'sending' || state === 'uploading' ? 'sending' : 'waiting')} />`}
      </span>
    </div>
    ${failed && html`<div class="failure" role="alert">
      <span>${t('failed')}: ${errorText(error)}</span>
      ${canAgain && html`<${Button} low kind="plain" icon="retry" onClick=${again}>${t('retry')}<//>`}
      <${Button} low kind="plain" onClick=${() => (upload ? cancelUpload(cid) : discard(cid))}>${t('discard')}<//>
    </div>`}
  </div>`;
}
