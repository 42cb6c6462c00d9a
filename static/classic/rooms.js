// Rooms: the list, creating, entering, leaving, who is in them.

import { $, done, h } from './dom.js';
import { nameOf, socket, state } from './state.js';
import { addLine, closeTalk, openTalk, unreadIn } from './talk.js';
import { t } from './words.js';

export function showRooms() {
  $('rooms').replaceChildren(
    ...[...state.rooms.values()].map(({ id, name }) =>
      h('li', {}, h('button', { type: 'button', onclick: () => openTalk(`r${id}`, name) }, h('span', {}, name), h('small', {}, String(id)), unreadIn(`r${id}`))),
    ),
  );
  if (!state.rooms.size) $('rooms').append(h('li', { className: 'quiet' }, t('noRooms')));
}

$('room-form').onsubmit = (event) => {
  event.preventDefault();
  const text = new FormData($('room-form')).get('room').trim();
  // The room itself comes with the event `room.join`, before the reply.
  const opened = done((reply) => {
    const room = reply.room ?? state.rooms.get(Number(text));
    $('room-form').reset();
    if (room) openTalk(`r${room.id}`, room.name);
  });
  if (event.submitter.value === 'join') socket.command('room.join', { id: text }, opened);
  else socket.command('room.create', { name: text, intro: '' }, opened);
};

export function leaveRoom(id) {
  // Who leaves gets no event.
  socket.command('room.leave', { id }, done(() => {
    state.rooms.delete(id);
    closeTalk();
    showRooms();
  }));
}

export function listMembers(id) {
  socket.command('room.list', { id }, done(({ onlines, offlines }) => {
    const names = (people) => people.map(nameOf).join(', ') || '–';
    addLine(`r${id}`, h('li', { className: 'event' }, `${t('here')}: ${names(onlines)} · ${t('away')}: ${names(offlines)}`));
  }));
}

const happened = (room, user, what) => addLine(`r${room.id}`, h('li', { className: 'event' }, `${nameOf(user)} ${t(what)}`));

// `newbie` is false for members who merely came online.
socket.on('room.join', ({ room, user, newbie }) => {
  if (user.id === state.me?.id) {
    state.rooms.set(room.id, room);
    showRooms();
  } else if (newbie) happened(room, user, 'joined');
});
socket.on('room.leave', ({ room, user }) => {
  if (user.id === state.me?.id) {
    state.rooms.delete(room.id);
    showRooms();
  } else happened(room, user, 'left');
});
