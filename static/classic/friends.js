// Friends: the list, finding, asking, answering, and who is here.

import { $, done, fromHtml, h, isOwnPicture, tell, toHtml } from './dom.js';
import { nameOf, socket, state } from './state.js';
import { closeTalk, openTalk, unreadIn } from './talk.js';
import { t } from './words.js';

export function loadFriends() {
  socket.command('friends', {}, done(({ list }) => {
    const strangers = [...state.friends.values()].filter((one) => one.stranger);
    state.friends = new Map([...strangers, ...list].map((one) => [one.id, one]));
    showFriends();
  }));
}

/** In their groups; `group` is the name under which I filed them, and absent until I did. */
export function showFriends() {
  const friends = [...state.friends.values()].sort((a, b) => (a.group ?? '').localeCompare(b.group ?? ''));
  $('friends').replaceChildren(
    ...friends.map((friend) =>
      h('li', {}, h('button', { type: 'button', onclick: () => openTalk(`u${friend.id}`, nameOf(friend)) }, ...faceOf(friend), unreadIn(`u${friend.id}`))),
    ),
  );
  if (!friends.length) $('friends').append(h('li', { className: 'quiet' }, t('nobody')));
}

const faceOf = (person) => [
  isOwnPicture(person.facePath) && h('img', { src: person.facePath, alt: '' }),
  h('span', {}, nameOf(person)),
  h('small', {}, [person.group, t(person.presence)].filter(Boolean).join(' · ')),
];

$('find-form').onsubmit = (event) => {
  event.preventDefault();
  const text = new FormData($('find-form')).get('username').trim();
  // Every member of the object is a criterion, and all must be met.
  const criteria = /^\d+$/.test(text) ? { id: text } : { username: text };
  socket.command('find', criteria, done(({ users }) => {
    $('found').replaceChildren(
      ...users.map((user) =>
        h('li', { className: 'row' }, h('span', { className: 'grow' }, ...faceOf(user)),
          h('button', { type: 'button', onclick: () => ask(user) }, t('add')),
          h('button', { type: 'button', onclick: () => openTalk(`u${user.id}`, nameOf(user)) }, t('talkTo'))),
      ),
    );
    if (!users.length) $('found').append(h('li', { className: 'quiet' }, t('nobody')));
  }));
};

function ask(user) {
  const note = prompt(t('note'), '');
  if (note !== null) socket.command('subscribe', { to: user.id, message: toHtml(note) }, done(() => $('found').replaceChildren()));
}

export function removeFriend(id) {
  socket.command('unsubscribe', { to: id }, done(() => {
    closeTalk();
    loadFriends();
  }));
}

/** Requests and answers come as messages of a type; `talk.js` hands them on. */
export function requestCame({ type, from, message }) {
  if (type === 'request-subscription') {
    const accepted = confirm(`${nameOf(from)} ${t('wants')}\n\n${fromHtml(message).textContent}`);
    socket.command('reply', { to: from.id, refuse: accepted ? 0 : 1 }, done(loadFriends));
  } else {
    tell(`${nameOf(from)} ${t(type === 'agree' ? 'agreed' : 'refused')}`);
    loadFriends();
  }
}

socket.on('presence', ({ id, presence }) => {
  const friend = state.friends.get(id);
  if (!friend) return;
  friend.presence = presence;
  showFriends();
});
