// Making, entering, leaving and deleting rooms.

import { html, untracked, useSignal, useSignalEffect } from '../html.js';
import { closeConversation, openConversation, openKey } from '../route.js';
import { conversation } from '../state/conversations.js';
import { roomKey } from '../state/keys.js';
import { nameById } from '../state/people.js';
import { createRoom, deleteRoom, joinRoom, leaveRoom, lost } from '../state/rooms.js';
import { confirm, openDialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { FormDialog, useForm } from '../ui/form.js';
import { guard, toast } from '../ui/toast.js';
import { t } from '../words/index.js';
import { openInvite } from './invite.js';
import { checkName } from './names.js';
import { prompt } from './prompt.js';

function CreateRoom({ close }) {
  const name = useSignal('');
  const intro = useSignal('');
  const form = useForm({
    check: () => ({ name: checkName(name.value.trim()) }),
    task: async () => close(await createRoom(name.value.trim(), intro.value.trim())),
  });
  return html`<${FormDialog} title=${t('createRoom')} action=${t('create')} close=${close} form=${form}>
    <${Field} label=${t('roomName')} value=${name} error=${form.errors.name} maxlength="64" autofocus autocomplete="off" />
    <${Field} label=${t('roomIntro')} hint=${t('roomIntroHint')} value=${intro} error=${form.errors.intro} multiline maxlength="400" rows="3" />
  <//>`;
}

export async function openCreateRoom() {
  const id = await openDialog(CreateRoom);
  if (!id) return;
  openConversation(roomKey(id));
  toast(t('roomCreated'), { action: { label: t('invite'), run: () => openInvite(id) } });
}

/** By its number, which is the invitation. */
export async function openJoinRoom() {
  const toNumber = (text) => Number(/^#?\s*([1-9]\d{0,15})$/.exec(text)?.[1] ?? 0);
  const id = await prompt({
    title: t('joinRoom'),
    label: t('roomNumber'),
    hint: t('joinRoomHint'),
    action: t('join'),
    max: 20,
    check: (text) => (toNumber(text) ? undefined : t('needNumber')),
    place: (error) => (error.code === 404 ? t('noSuchRoomNumber') : undefined),
    run: async (text) => {
      const number = toNumber(text);
      if (!conversation(roomKey(number))) await joinRoom(number);
      return number;
    },
  });
  if (id) openConversation(roomKey(id));
}

const leaveView = (id) => openKey.peek() === roomKey(id) && closeConversation();

export async function askToLeave(id, name) {
  const sure = await confirm({ title: t('leaveTitle', name), text: t('leaveText'), action: t('leaveRoom'), danger: true });
  if (sure) await guard(leaveRoom(id).then(() => leaveView(id)));
}

export async function askToDelete(id, name) {
  const same = (text) => (text === name ? undefined : t('notThisName'));
  const done = await prompt({
    title: t('deleteTitle', name),
    text: t('deleteText'),
    label: t('typeToDelete', name),
    action: t('deleteRoom'),
    danger: true,
    check: same,
    run: () => deleteRoom(id),
  });
  if (done) leaveView(id);
}

/** Tells of rooms that one was taken out of, and leaves their view. */
export function useLostRooms() {
  useSignalEffect(() => {
    if (!lost.value) return;
    const { room, by } = lost.value;
    lost.value = null;
    toast(by ? t('kickedBy', untracked(() => nameById(by)), room.name) : t('roomWasDeleted', room.name));
    leaveView(room.id);
  });
}
