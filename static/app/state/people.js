// Everybody seen so far, each a signal of their own, so that a change redraws only where they are shown.

import { signal, batch } from '../html.js';
import { on, request } from '../connection.js';
import { me, myId, whenSignedIn, whenSignedOut } from '../session.js';

/** @typedef {{id: number, username: string, nick?: string, facePath?: string, presence?: string}} Person */

const known = new Map();
const wanted = new Set();

/** The signal of a person; asks the server for who is not known yet. @returns {import('@preact/signals').Signal<Person|null>} */
export function person(id) {
  let found = known.get(id);
  if (!found) {
    found = signal(null);
    known.set(id, found);
    want(id);
  }
  return found;
}

/** Remembers what the server told of people. @param {Person[]|Record<string, Person>|undefined} users */
export function meet(users) {
  batch(() => {
    for (const user of Object.values(users ?? {})) {
      if (!user?.id) continue;
      const found = known.get(user.id);
      if (found) found.value = user;
      else known.set(user.id, signal(user));
      wanted.delete(user.id);
      if (user.id === myId()) learnOfMyself(user);
    }
  });
}

/** What others see of me lacks what only I may see, and my true presence. */
function learnOfMyself(user) {
  me.value = { ...me.peek(), ...user, presence: me.peek().presence };
}

export const nameOf = (user, id = user?.id) => user?.nick || user?.username || (id ? `#${id}` : '');
/** The name at present; a component that calls it is drawn again when it changes. */
export const nameById = (id) => nameOf(person(id).value, id);

let timer = 0;
/** Asks for somebody (again), together with others that are wanted at this moment. */
export function want(id) {
  wanted.add(id);
  timer ||= setTimeout(ask, 30);
}

async function ask() {
  timer = 0;
  const ids = [...wanted].slice(0, 200);
  if (!ids.length) return;
  for (const id of ids) wanted.delete(id);
  const reply = await request('users', { ids }).catch(() => null);
  if (reply) meet(reply.users);
}

/** The ids of those who have this number, user name or nickname. */
export async function findPeople(text) {
  const wanted = [{ username: text }, { nick: text }];
  if (/^#?[1-9]\d{0,15}$/.test(text)) wanted.unshift({ id: Number(text.replace('#', '')) });
  const replies = await Promise.all(wanted.map((criteria) => request('find', criteria)));
  const users = replies.flatMap((reply) => reply.users);
  meet(users);
  return [...new Set(users.map((user) => user.id))];
}

on('presence', ({ id, presence }) => {
  const found = known.get(id);
  if (found?.peek()) found.value = { ...found.peek(), presence };
});
on('profile', ({ user }) => meet([user]));

// Presence may have changed while this client was away; friends and conversations tell it for most people.
whenSignedIn(() => meet([{ ...me.peek() }]));
whenSignedOut(() => known.clear());
