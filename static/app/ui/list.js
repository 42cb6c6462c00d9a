// Lists and what stands in their place while they are empty or on their way.

import { html } from '../html.js';
import { Icon } from './icon.js';
import { t } from '../words/index.js';

/**
 * One row: an avatar, a name, a second line, and something at the end. With `href` it is a link, with `onClick` a button.
 * Give either; a row with further buttons in `end` must have neither on itself and buttons inside instead.
 */
export function Item({ href, onClick, avatar, name, line, end, current, ...rest }) {
  const inner = html`${avatar}
    <span class="item-text">
      <span class="item-line"><span class="item-name cut">${name}</span></span>
      ${line && html`<span class="item-line"><span class="item-last cut">${line}</span></span>`}
    </span>
    ${end}`;
  if (href) return html`<a class="item" href=${href} aria-current=${current ? 'page' : undefined} ...${rest}>${inner}</a>`;
  if (onClick) return html`<button type="button" class="item" onClick=${onClick} ...${rest}>${inner}</button>`;
  return html`<div class="item" ...${rest}>${inner}</div>`;
}

/** `<${Empty} icon="rooms" title="…" text="…">buttons<//>` */
export function Empty({ icon, title, text, children }) {
  return html`<div class="empty">
    <span class="empty-icon"><${Icon} name=${icon} /></span>
    <h2>${title}</h2>
    ${text && html`<p>${text}</p>`}
    ${children && html`<div class="empty-actions">${children}</div>`}
  </div>`;
}

export const Loading = () => html`<div class="loading" role="status" aria-label=${t('loading')}><span class="spinner" /></div>`;

/** Arrow keys walk through the links and buttons of a list. */
export function walkList(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const items = [...event.currentTarget.querySelectorAll('a.item, button.item')];
  const here = items.indexOf(document.activeElement);
  if (here < 0 || !items[here + step]) return;
  event.preventDefault();
  items[here + step].focus();
}
