// What one can do with a person: the same in menus, on the card and in the dialog for finding people.

import { answer, ask, isFriend, setGroup, unfriend } from '../state/friends.js';
import { createGroup, groupNames } from '../state/groups.js';
import { setBlocked } from '../state/blocks.js';
import { nameById } from '../state/people.js';
import { confirm } from '../ui/dialog.js';
import { openMenu } from '../ui/menu.js';
import { guard, toast } from '../ui/toast.js';
import { t } from '../words/index.js';
import { checkName } from './names.js';
import { prompt } from './prompt.js';

const NOTE = 200;

export async function addFriend(id) {
  const done = await prompt({
    title: t('addTitle', nameById(id)),
    label: t('note'),
    hint: t('noteHint'),
    action: t('sendRequest'),
    multiline: true,
    max: NOTE,
    run: (note) => ask(id, note),
  });
  if (done) toast(t('requestSent'));
}

export const accept = (id) => guard(answer(id, true));

export async function refuseWithNote(id) {
  await prompt({
    title: t('refuseTitle', nameById(id)),
    label: t('refuseNote'),
    action: t('refuse'),
    multiline: true,
    max: NOTE,
    run: (note) => answer(id, false, note),
  });
}

export async function removeFriend(id) {
  const name = nameById(id);
  const sure = await confirm({ title: t('unfriendTitle', name), text: t('unfriendText'), action: t('unfriend'), danger: true });
  if (sure) await guard(unfriend(id));
}

export const withdraw = (id) => guard(unfriend(id).then(() => toast(t('withdrawn'))));

export async function block(id) {
  const name = nameById(id);
  const sure = await confirm({ title: t('blockTitle', name), text: t('blockText'), action: t('block'), danger: true });
  if (sure) await guard(setBlocked(id, true));
}

export const unblock = (id) => guard(setBlocked(id, false));

/** A menu of the groups, and a new one. */
export function chooseGroup(anchor, id, current) {
  openMenu(anchor, [
    { title: t('moveTo') },
    ...groupNames.value.map((name) => ({ label: name, checked: name === current, run: () => guard(setGroup(id, name)) })),
    groupNames.value.length > 0 && '-',
    { label: t('newGroup'), icon: 'plus', run: () => newGroup(id) },
  ]);
}

/** Makes a group, and moves a friend into it if one is named. */
export function newGroup(id) {
  const run = async (name) => {
    if (!groupNames.value.includes(name)) await createGroup(name);
    if (id && isFriend(id)) await setGroup(id, name);
  };
  return prompt({ title: t('newGroup'), label: t('groupName'), action: t('create'), max: 64, check: checkName, run });
}
