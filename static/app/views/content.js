// What is inside a bubble: text with links, a picture, a file, a quote.

import { html, useMemo } from '../html.js';
import { tokenize } from 'linkifyjs';
import { isEmpty, isLink, plainText, safeHtml } from '../state/text.js';
import { nameById } from '../state/people.js';
import { jumpTo } from '../state/jump.js';
import { IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { t } from '../words/index.js';
import { byteSize } from '../words/time.js';
import { openViewer } from './viewer.js';

export function Content({ message, id, progress, cancel }) {
  const { type, file } = message;
  return html`
    ${type === 'image' && file && html`<${Picture} message=${message} id=${id} progress=${progress} cancel=${cancel} />`}
    ${type === 'file' && file && html`<${FileRow} file=${file} progress=${progress} cancel=${cancel} />`}
    ${(message.text || type === 'text') && html`<${Text} message=${message} />`}`;
}

function Text({ message }) {
  const { text, format } = message;
  const inner = useMemo(() => (format === 'plain' ? null : safeHtml(text)), [text, format]);
  const empty = useMemo(() => isEmpty(message), [text, format]);
  if (empty) return message.type === 'text' && html`<div class="text quiet">${t('emptyMessage')}</div>`;
  if (inner !== null) return html`<div class="text" dir="auto" dangerouslySetInnerHTML=${{ __html: inner }} />`;
  return html`<div class="text" dir="auto"><${Linked} text=${text} /></div>`;
}

/** Plain text in which addresses are links. */
export function Linked({ text }) {
  const tokens = useMemo(() => tokenize(text), [text]);
  return tokens.map((token) =>
    isLink(token)
      ? html`<a href=${token.toHref('https')} target="_blank" rel="noopener noreferrer">${token.toString()}</a>`
      : token.toString(),
  );
}

// Written as a text, since older browsers do not know the flag and would refuse the whole file.
const EMOJI = (() => {
  try {
    return new RegExp('^\\s*(?:\\p{RGI_Emoji}\\s*){1,3}$', 'v');
  } catch {
    return /^\s*(?:\p{Extended_Pictographic}\uFE0F?\s*){1,3}$/u;
  }
})();

/** Up to three emoji and nothing else are shown large. */
export const isBigEmoji = (message) =>
  message.type === 'text' && message.text.length < 60 && !message.reply && EMOJI.test(plainText(message));

export function Quote({ of: { seq, from, text }, id }) {
  return html`<button type="button" class="quote" tabindex="-1" onClick=${() => jumpTo(id, seq)}>
    <strong>${nameById(from)}</strong>
    <span class="cut">${text.trim() || '…'}</span>
  </button>`;
}

/** The room that a picture will take is known before it has loaded, so that nothing jumps. */
function Picture({ message, id, progress, cancel }) {
  const { url, thumb, preview, name, width, height } = message.file;
  const ratio = width && height ? { aspectRatio: `${width} / ${height}`, width: `${Math.min(width, 320, (360 * width) / height)}px` } : {};
  const image = html`<img src=${preview ?? thumb ?? url} alt=${t('pictureAlt', name)} style=${ratio} loading="lazy" draggable=${false} />`;
  if (progress !== undefined || !url) return html`<span class="picture-frame">${image}<${Progress} share=${progress} name=${name} cancel=${cancel} /></span>`;
  return html`<button type="button" class="picture-frame" tabindex="-1" onClick=${() => openViewer(id, message)}>${image}</button>`;
}

function FileRow({ file, progress, cancel }) {
  const { url, name, size, type = '' } = file;
  const player = url && /^(audio|video)\//.test(type) && type.split('/')[0];
  const ending = name?.includes('.') ? name.split('.').pop().slice(0, 4) : '';
  return html`<div class="file">
    ${player === 'audio' && html`<audio controls preload="none" src=${url} />`}
    ${player === 'video' && html`<video controls preload="metadata" src=${url} />`}
    <div class="file-row">
      <span class="file-icon" aria-hidden="true">${ending || html`<${Icon} name="file" />`}</span>
      <span class="grow"><span class="file-name">${name}</span><span class="file-size">${byteSize(size ?? 0)}</span></span>
      ${url && html`<a class="icon-button" href=${url} download=${name} aria-label=${`${t('download')} ${name}`} title=${t('download')}><${Icon} name="download" /></a>`}
      ${progress !== undefined && html`<${IconButton} icon="close" label=${t('cancel')} onClick=${cancel} />`}
    </div>
    ${progress !== undefined && html`<${Bar} share=${progress} name=${name} />`}
  </div>`;
}

const Bar = ({ share, name }) => html`<progress class="progress" max="1" value=${share} aria-label=${t('uploading', name, Math.round(share * 100))} />`;

const Progress = ({ share, name, cancel }) =>
  share !== undefined &&
  html`<span class="picture-progress"><${Bar} share=${share} name=${name} /><${IconButton} icon="close" label=${t('cancel')} onClick=${cancel} /></span>`;
