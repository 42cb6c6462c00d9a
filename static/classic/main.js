// Signing up, in and out. After `signin` the server replays what was missed, as `message` events with `readed: 0`.

import { $, done, h, tell } from './dom.js';
import { loadFriends, showFriends } from './friends.js';
import { openProfile } from './profile.js';
import { showRooms } from './rooms.js';
import { nameOf, socket, state } from './state.js';
import { forgetTalks } from './talk.js';
import { t, translate } from './words.js';

translate();
$('presence').append(...['在线', '忙碌', '隐身'].map((value) => h('option', { value }, t(value))));

/** Kept while the page is open: this wire knows no sessions, and one signs in again after each reconnect. */
let credentials = null;

function signIn() {
  // With a presence one arrives with it; else with 在线.
  const presence = state.me?.presence;
  socket.command('signin', { ...credentials, ...(presence ? { presence } : {}) }, (reply) => {
    if (reply.code !== 200) {
      // The connection broke again, and its next `connect` tries again; or the password is wrong.
      if (reply.code) signedOut();
      return tell(reply.message);
    }
    state.me = reply.doc;
    state.rooms = new Map(reply.rooms.map((room) => [room.id, room]));
    $('sign').hidden = true;
    $('chat').hidden = $('me').hidden = false;
    showMe();
    showRooms();
    loadFriends();
    $('news').textContent = '';
  });
}

function showMe() {
  $('my-name').textContent = nameOf(state.me);
  $('presence').value = state.me.presence;
}

function signedOut() {
  credentials = state.me = null;
  state.friends.clear();
  state.rooms.clear();
  forgetTalks();
  showFriends();
  showRooms();
  $('sign').hidden = false;
  $('chat').hidden = $('me').hidden = true;
}

const written = () => Object.fromEntries(new FormData($('sign-form')));

$('sign-form').onsubmit = (event) => {
  event.preventDefault();
  credentials = written();
  signIn();
};
$('sign-up').onclick = () => {
  if (!$('sign-form').reportValidity()) return;
  const { username, password } = written();
  socket.command('signup', { username, password }, done(() => $('sign-form').requestSubmit()));
};
$('sign-out').onclick = () => socket.command('signout', {}, signedOut);
$('my-name').onclick = () => openProfile(showMe);
$('presence').onchange = ({ target: { value: presence } }) =>
  socket.command('presence', { presence }, done(() => (state.me.presence = presence)));

function connected(is) {
  for (const button of $('sign-form').querySelectorAll('button')) button.disabled = !is;
  if (!is) $('news').textContent = t('offline');
  else if (credentials) signIn();
}
socket.on('connect', () => connected(true));
socket.on('disconnect', () => connected(false));
