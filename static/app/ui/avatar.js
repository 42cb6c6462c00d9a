// A face, or the first letter on a colour of one's own; with a presence dot if asked for.

import { html, cls } from '../html.js';
import { presenceWord } from '../words/index.js';

/** Only pictures of this server: others would tell strangers who looks at them. */
const ownPicture = (url) => (typeof url === 'string' && /^\/public\/files\/[^\s"'<>\\]+$/.test(url) ? url : null);

const PRESENCE = { 在线: '', 离线: 'offline', 隐身: 'invisible', 忙碌: 'busy', 离开: 'away' };

/** `<${Avatar} id=${2} name="bob" picture=${url} presence="在线" size=${44} room />` */
export function Avatar({ id = 0, name = '', picture, presence, size = 44, room }) {
  const url = ownPicture(picture);
  const letter = [...name.trim()][0]?.toUpperCase() ?? '?';
  return html`<span class=${cls('avatar', { room })} style=${{ '--size': `${size}px`, '--hue': String((id * 67 + 140) % 360) }}>
    ${url ? html`<img src=${url} alt="" loading="lazy" draggable=${false} />` : html`<span aria-hidden="true">${letter}</span>`}
    ${presence !== undefined && html`<${Dot} presence=${presence} />`}
  </span>`;
}

export function Dot({ presence }) {
  const word = presenceWord(presence);
  return html`<span class=${cls('dot', PRESENCE[presence] ?? '')} role="img" aria-label=${word} title=${word} />`;
}
