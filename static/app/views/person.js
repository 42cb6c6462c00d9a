// A person's card and a room's members, for the details panel.

import { html } from '../html.js';
import { nameById } from '../state/people.js';
import { idOf, isRoom } from '../state/keys.js';
import { t } from '../words/index.js';
import { openDetails } from './details.js';

/** Shows who or what a conversation is with. */
export function showDetailsOf(key) {
  if (isRoom(key)) openDetails(t('rooms'), Placeholder, {});
  else openPerson(idOf(key));
}

export function openPerson(id) {
  openDetails(nameById(id), Placeholder, {});
}

const Placeholder = () => html`<p class="quiet">${t('comingSoon')}</p>`;
