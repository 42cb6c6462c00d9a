// The groups of one's friends. Their names are in the profile, and each friend has the name of theirs.

import { computed } from '../html.js';
import { me } from '../session.js';
import { saveProfile } from './account.js';
import { friends, setGroup } from './friends.js';

const named = computed(() => {
  const groups = me.value?.groups;
  return Array.isArray(groups) ? groups.map((group) => group?.name).filter((name) => name && typeof name === 'string') : [];
});

/** Names in their order: those of the profile, then any that only friends have. */
export const groupNames = computed(() => {
  const used = (friends.value ?? []).map((friend) => friend.group).filter(Boolean);
  return [...new Set([...named.value, ...used])];
});

/** Other members of a group's entry belong to other clients, and stay. */
const save = (change) => saveProfile({ groups: change(Array.isArray(me.peek().groups) ? me.peek().groups : []) });

export const createGroup = (name) => save((groups) => [...groups, { name }]);
export const removeGroup = (name) => save((groups) => groups.filter((group) => group?.name !== name));

export async function renameGroup(name, next) {
  const isNamed = named.peek().includes(name);
  await save((groups) => (isNamed ? groups.map((group) => (group?.name === name ? { ...group, name: next } : group)) : [...groups, { name: next }]));
  const inside = (friends.peek() ?? []).filter((friend) => friend.group === name);
  await Promise.all(inside.map((friend) => setGroup(friend.id, next)));
}
