// The emoji picker: search in the language of the page, what was used last, and all by group.

import { html, render, cls, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../ui/icon.js';
import { place } from '../ui/menu.js';
import { language, t } from '../words/index.js';

const RECENT = 'nodeim.emoji';
const RECENT_MAX = 24;
const COLUMNS = 8;
/** By the numbers of the groups in the data. */
const ICONS = ['smile', 'person', null, 'paw', 'cup', 'car', 'ball', 'bulb', 'heart', 'flag'];
/** Newer ones are boxes on systems that do not know them yet. */
const VERSION = 14;

let data = null;
async function load() {
  data ??= fetch(`/npm/emoji-picker-element-data/${language}/cldr-native/data.json`)
    .then((reply) => reply.json())
    .then((all) => all.filter((one) => one.version <= VERSION && one.group !== 2))
    .catch((error) => {
      data = null;
      throw error;
    });
  return data;
}

const recent = () => JSON.parse(localStorage.getItem(RECENT) ?? '[]');
function remember(emoji) {
  localStorage.setItem(RECENT, JSON.stringify([emoji, ...recent().filter((one) => one !== emoji)].slice(0, RECENT_MAX)));
}

/** Opens the picker at a button; `pick(emoji)` for each one chosen, `done` when it closes. */
export function openEmoji(anchor, pick, done) {
  const element = document.createElement('div');
  element.className = 'menu emoji';
  element.popover = 'auto';
  element.role = 'dialog';
  element.ariaLabel = t('emoji');
  (anchor.closest('dialog') ?? document.body).append(element);
  const choose = (emoji, stay) => {
    remember(emoji);
    pick(emoji);
    if (!stay) element.hidePopover();
  };
  render(html`<${Picker} choose=${choose} />`, element);
  element.addEventListener('toggle', (event) => {
    if (event.newState !== 'closed') return;
    render(null, element);
    element.remove();
    done?.();
  });
  element.showPopover();
  place(element, anchor.getBoundingClientRect());
}

function Picker({ choose }) {
  const [all, setAll] = useState(null);
  const [failed, setFailed] = useState(false);
  const [wanted, setWanted] = useState('');
  const [chosen, setChosen] = useState(0);
  const body = useRef();
  const field = useRef();
  useEffect(() => {
    load().then(setAll, () => setFailed(true));
    // With a finger, the keyboard would hide what one came for.
    if (!matchMedia('(hover: none)').matches) field.current.focus();
  }, []);
  const groups = all ? find(all, wanted.trim().toLowerCase()) : [];

  const onClick = (event) => {
    const button = event.target.closest('[data-emoji]');
    if (button) choose(button.dataset.emoji, event.shiftKey);
  };
  const onKeyDown = (event) => {
    const buttons = [...body.current.querySelectorAll('[data-emoji]')];
    const here = buttons.indexOf(document.activeElement);
    if (here < 0) {
      if (event.key === 'Enter' && buttons[0]) choose(buttons[0].dataset.emoji);
      if (event.key === 'ArrowDown') buttons[0]?.focus();
      else if (event.key !== 'Enter') return;
      return event.preventDefault();
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!step) return;
    event.preventDefault();
    (buttons[here + step] ?? (step < 0 ? field.current : buttons.at(-1))).focus();
  };
  const goTo = (group) => body.current.querySelector(`[data-group="${group}"]`)?.scrollIntoView({ block: 'start' });
  /** The group at the upper edge; the last one may not reach it. */
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = body.current;
    const sections = [...body.current.children];
    const atEnd = scrollTop + clientHeight >= scrollHeight - 2;
    const here = atEnd ? sections.length - 1 : sections.findLastIndex((one) => one.offsetTop - body.current.offsetTop <= scrollTop + 2);
    setChosen(Math.max(0, here));
  };

  return html`<div class="emoji-inner" onKeyDown=${onKeyDown}>
    <label class="search-field">
      <${Icon} name="search" />
      <input ref=${field} class="input" type="search" placeholder=${t('searchEmoji')} aria-label=${t('searchEmoji')} value=${wanted}
        autocomplete="off" onInput=${(event) => setWanted(event.currentTarget.value)} />
    </label>
    ${all && !wanted && html`<div class="emoji-groups">
      ${groups.map(([group], index) => html`<button type="button" key=${group} tabindex="-1" title=${title(group)} aria-label=${title(group)} aria-current=${String(index === chosen)} onClick=${() => goTo(group)}><${Icon} name=${group === 'recent' ? 'clock' : ICONS[group]} /></button>`)}
    </div>`}
    <div class="emoji-body" ref=${body} onClick=${onClick} onScroll=${onScroll}>
      ${!all && !failed && html`<div class="loading"><span class="spinner" /></div>`}
      ${(failed || (all && !groups.length)) && html`<p class="loading">${t('noEmoji')}</p>`}
      ${groups.map(([group, items]) => html`<section key=${group} class=${cls('emoji-group', { tall: items.length > 64 })} data-group=${group}>
        ${group !== 'found' && html`<h3>${title(group)}</h3>`}
        <div class="emoji-grid">${items.map((one) => html`<button type="button" key=${one.emoji} data-emoji=${one.emoji} tabindex="-1" title=${one.annotation} aria-label=${one.annotation}>${one.emoji}</button>`)}</div>
      </section>`)}
    </div>
  </div>`;
}

const title = (group) => (group === 'recent' ? t('recent') : t('emojiGroups')[group]);

function find(all, wanted) {
  if (wanted) {
    const rated = all.map((one) => [rate(one, wanted), one]).filter(([rating]) => rating);
    rated.sort(([a], [b]) => b - a);
    return rated.length ? [['found', rated.slice(0, 120).map(([, one]) => one)]] : [];
  }
  const groups = Map.groupBy ? Map.groupBy(all, (one) => one.group) : grouped(all);
  const known = new Map(all.map((one) => [one.emoji, one]));
  const last = recent().map((emoji) => known.get(emoji)).filter(Boolean);
  return [...(last.length ? [['recent', last]] : []), ...groups];
}

/** Whole words count most, then beginnings, then anything in the name. */
function rate({ annotation, tags = [] }, wanted) {
  const name = annotation.toLowerCase();
  const words = [...name.split(/\s+/), ...tags.map((tag) => tag.toLowerCase())];
  if (name === wanted) return 4;
  if (words.includes(wanted)) return 3;
  return words.some((word) => word.startsWith(wanted)) ? 2 : Number(name.includes(wanted));
}

function grouped(all) {
  const groups = new Map();
  for (const one of all) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}
