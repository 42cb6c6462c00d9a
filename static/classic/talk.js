// What is said, live and missed, and the log.

import { $, done, fromHtml, h, toHtml } from './dom.js';
import { removeFriend, requestCame, showFriends } from './friends.js';
import { leaveRoom, listMembers, showRooms } from './rooms.js';
import { keyOfMessage, nameOf, socket, state } from './state.js';
import { t } from './words.js';

/** key → `{lines, unread}`; this wire has no history of one's own side, so what was said stays in the page. */
const talks = new Map();
let open = null;

function talk(key) {
  if (!talks.has(key)) talks.set(key, { lines: [], unread: 0 });
  return talks.get(key);
}
export const unreadIn = (key) => talks.get(key)?.unread > 0 && h('b', {}, String(talks.get(key).unread));

export function openTalk(key, title) {
  open = key;
  const isRoom = key[0] === 'r';
  talk(key).unread = 0;
  $('talk').hidden = false;
  $('talk-title').textContent = title;
  $('talk-members').hidden = !isRoom;
  $('talk-leave').textContent = t(isRoom ? 'leave' : 'remove');
  $('talk-leave').hidden = !isRoom && !isFriend(idOf(key));
  $('lines').replaceChildren(...talk(key).lines);
  $('lines').scrollTop = $('lines').scrollHeight;
  showFriends();
  showRooms();
  $('talk-form').elements.text.focus();
}
export function closeTalk() {
  open = null;
  $('talk').hidden = true;
}
export function forgetTalks() {
  talks.clear();
  closeTalk();
}
const idOf = (key) => Number(key.slice(1));
const isFriend = (id) => state.friends.has(id) && !state.friends.get(id).stranger;

export function addLine(key, line) {
  talk(key).lines.push(line);
  if (key !== open) return;
  $('lines').append(line);
  $('lines').scrollTop = $('lines').scrollHeight;
}

const lineOf = (name, time, html, mine) =>
  h('li', { className: mine ? 'mine' : '' }, h('small', {}, `${name} · ${new Date(time).toLocaleString()}`), h('div', { className: 'said', dir: 'auto' }, fromHtml(html)));

/** After a broken connection messages come again: `_id` tells which. */
const seen = new Set();

socket.on('message', (message) => {
  const { _id, type, from, time, room, name } = message;
  if (seen.has(_id)) return;
  seen.add(_id);
  if (type && type !== 'system') return requestCame(message);
  const key = keyOfMessage(message);
  addLine(key, lineOf(nameOf(from), time, message.message, from.id === state.me?.id));
  if (key === open) return;
  talk(key).unread++;
  if (room) state.rooms.has(room) || state.rooms.set(room, { id: room, name });
  // Anybody may write; who is no friend stands in the list until the page is closed.
  else if (!state.friends.has(from.id)) state.friends.set(from.id, { ...from, stranger: true });
  showFriends();
  showRooms();
});

$('talk-form').onsubmit = (event) => {
  event.preventDefault();
  const field = $('talk-form').elements.text;
  const key = open;
  if (!field.value.trim()) return;
  const message = toHtml(field.value);
  const time = Date.now();
  field.value = '';
  // A room's message comes back to its sender as an event; a person's does not.
  if (key[0] === 'r') socket.command('room.message', { room: idOf(key), message, time }, done());
  else socket.command('message', { to: idOf(key), message, time }, done(() => addLine(key, lineOf(nameOf(state.me), time, message, true))));
};
$('talk-members').onclick = () => listMembers(idOf(open));
$('talk-leave').onclick = () => (open[0] === 'r' ? leaveRoom(idOf(open)) : removeFriend(idOf(open)));

/** What was addressed to me, 20 a page; page 1 is the oldest. */
function showLog(page) {
  const where = open[0] === 'r' ? { room: idOf(open) } : { from: idOf(open) };
  socket.command('log', { ...where, page }, done(({ currentPage, lastPage, docs }) => {
    const nameById = (id) => (id === state.me.id ? nameOf(state.me) : state.friends.has(id) ? nameOf(state.friends.get(id)) : `#${id}`);
    $('log-lines').replaceChildren(...docs.map((doc) => lineOf(nameById(doc.from), doc.time, doc.message, doc.from === state.me.id)));
    $('log-page').textContent = `${lastPage ? currentPage : 0} / ${lastPage}`;
    $('log-older').disabled = currentPage <= 1;
    $('log-newer').disabled = currentPage >= lastPage;
    $('log-older').onclick = () => showLog(currentPage - 1);
    $('log-newer').onclick = () => showLog(currentPage + 1);
    if (!$('log').open) {
      $('log').showModal();
      // One begins at the end.
      if (lastPage > 1) showLog(lastPage);
    }
  }));
}
$('talk-log').onclick = () => showLog(1);
