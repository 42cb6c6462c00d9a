// What the details panel shows of a conversation: a person's card, or a room with its members.

import { idOf, isRoom } from '../state/keys.js';
import { t } from '../words/index.js';
import { openDetails } from './details.js';
import { PersonCard } from './person-card.js';
import { RoomCard } from './room-card.js';

/** Shows who or what a conversation is with. */
export function showDetailsOf(key) {
  if (isRoom(key)) openDetails(t('room'), RoomCard, { id: idOf(key), openPerson: (id) => openPerson(id, { over: true }) });
  else openPerson(idOf(key));
}

/** With `over`, what the panel showed before comes back by a button. */
export function openPerson(id, { over } = {}) {
  openDetails(t('personCard'), PersonCard, { id }, { over });
}
