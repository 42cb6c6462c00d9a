// My profile, with a picture from the upload panel.

import { $, done, isOwnPicture } from './dom.js';
import { socket, state } from './state.js';

const FIELDS = ['nick', 'sign', 'sex'];
let facePath = '';

function showFace() {
  $('face').hidden = !isOwnPicture(facePath);
  if (!$('face').hidden) $('face').src = facePath;
}

export function openProfile(changed) {
  const { elements } = $('profile-form');
  for (const name of FIELDS) elements[name].value = state.me[name] ?? '';
  facePath = state.me.facePath ?? '';
  showFace();
  // The panel is a page of the server, and who is signed in from the same address may use it. When it has
  // the file, every connection of this user gets the event `upload`.
  $('panel').src = `/nodeim-server/upload?user=${state.me.id}`;
  $('profile').returnValue = '';
  $('profile').onclose = () => {
    if ($('profile').returnValue !== 'save') return;
    const doc = { ...Object.fromEntries(FIELDS.map((name) => [name, elements[name].value])), facePath };
    // What is given is replaced, the rest stays.
    socket.command('profile', { doc }, done(() => changed(Object.assign(state.me, doc))));
  };
  $('profile').showModal();
}

socket.on('upload', ({ url }) => {
  facePath = url;
  showFace();
});
