// Menus, opened at a button or at a point. Arrow keys walk, Esc and a press elsewhere close.

import { html, render, cls } from '../html.js';
import { Icon } from './icon.js';

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {string} [icon]
 * @property {string} [hint] a second, smaller line
 * @property {any} [mark] shown instead of an icon, such as a presence dot
 * @property {boolean} [danger]
 * @property {boolean} [checked] makes it a choice of one among several
 * @property {boolean} [disabled]
 * @property {() => void} run
 */

let current = null;

/**
 * Opens a menu. `'-'` between items is a line, `{title}` a heading.
 * @param {Element} anchor gets the focus back
 * @param {(MenuItem|'-'|{title: string}|false|null|undefined)[]} items
 * @param {{x: number, y: number}} [point] of a right click
 */
export function openMenu(anchor, items, point) {
  current?.close();
  const element = document.createElement('div');
  element.className = 'menu';
  element.popover = 'auto';
  element.role = 'menu';
  // Below a modal dialog everything is inert, so a dialog's menu must be inside of it.
  (anchor.closest('dialog') ?? document.body).append(element);

  const close = () => element.isConnected && element.hidePopover();
  const run = (item) => {
    close();
    item.run();
  };
  render(html`${items.filter(Boolean).map((item) => entry(item, run))}`, element);

  element.addEventListener('keydown', walk);
  element.addEventListener('toggle', (event) => {
    if (event.newState !== 'closed') return;
    anchor.removeAttribute('aria-expanded');
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    render(null, element);
    element.remove();
    if (current?.element === element) current = null;
    if (hadFocus && anchor.isConnected) anchor.focus();
  });
  element.showPopover();
  anchor.setAttribute('aria-expanded', 'true');
  place(element, point ?? anchor.getBoundingClientRect());
  element.querySelector('[aria-checked="true"], .menu-item:not(:disabled)')?.focus();
  current = { element, close };
}

function entry(item, run) {
  if (item === '-') return html`<div class="menu-line" role="separator" />`;
  if (item.title) return html`<div class="menu-title">${item.title}</div>`;
  const choice = item.checked !== undefined;
  return html`<button type="button" class=${cls('menu-item', { danger: item.danger })} tabindex="-1" disabled=${item.disabled}
    role=${choice ? 'menuitemradio' : 'menuitem'} aria-checked=${choice ? String(item.checked) : undefined} onClick=${() => run(item)}>
    ${item.mark ?? (item.icon && html`<${Icon} name=${item.icon} />`)}
    <span class="grow">${item.label}${item.hint && html`<small>${item.hint}</small>`}</span>
    ${item.checked && html`<${Icon} name="check" small />`}
  </button>`;
}

/** Below the anchor if there is room, else above; never past an edge. */
export function place(element, at) {
  const { offsetWidth: width, offsetHeight: height } = element;
  const box = { left: at.left ?? at.x, right: at.right ?? at.x, top: at.top ?? at.y, bottom: at.bottom ?? at.y };
  const left = box.left + width + 8 > innerWidth ? box.right - width : box.left;
  const below = box.bottom + 4;
  const top = below + height + 8 > innerHeight ? box.top - height - 4 : below;
  element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  element.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
}

function walk(event) {
  const items = [...event.currentTarget.querySelectorAll('.menu-item:not(:disabled)')];
  const here = items.indexOf(document.activeElement);
  const target = {
    ArrowDown: items[(here + 1) % items.length],
    ArrowUp: items.at(here <= 0 ? -1 : here - 1),
    Home: items[0],
    End: items.at(-1),
  }[event.key];
  if (event.key === 'Tab') event.currentTarget.hidePopover();
  if (!target) return;
  event.preventDefault();
  target.focus();
}
