// Who is signed in here: by password once, then by token, again after every reconnect and reload.

import { signal, batch } from './html.js';
import { on, request, socket, status, WireError } from './connection.js';
import { deviceName } from './device.js';

/** The document of oneself as `signin` gave it, or null. */
export const me = signal(null);
/** Why one was signed out by the server: `revoked`, `password`, `expired`; shown above the sign-in form. */
export const endedBecause = signal(null);
/** False until it is known whether a stored token still holds. */
export const decided = signal(false);

const TOKEN = 'nodeim.token';
let token = localStorage.getItem(TOKEN);
let session = 0;
const onSignedIn = [];
const onSignedOut = [];

export const myId = () => me.peek()?.id ?? 0;
export const bearer = () => token;
export const sessionId = () => session;

/** Runs `task(first)` after every sign-in; `first` is false after a mere reconnect. */
export const whenSignedIn = (task) => onSignedIn.push(task);
/** Runs `task` when everything of the user must be forgotten. */
export const whenSignedOut = (task) => onSignedOut.push(task);

export function start() {
  socket.connect();
}

export async function signUp({ username, password, question, answer }) {
  const more = question && answer ? { question, answer } : {};
  await request('signup', { username, password, ...more }, { signedIn: false });
  await signIn({ username, password });
}

export async function signIn({ username, password }) {
  await enter({ username, password }, true);
}

/** The first step tells the question, the second one sets the new password. */
export async function securityQuestion(username) {
  return (await request('retrieve', { username }, { signedIn: false })).question;
}
export async function resetPassword({ username, answer, password }) {
  await request('retrieve', { username, answer, newpassword: password }, { signedIn: false });
}

export async function signOut({ everywhere = false } = {}) {
  await request('signout', everywhere ? { everywhere } : {}).catch((error) => {
    if (everywhere) throw error;
  });
  forget(null);
}

async function enter(credentials, first) {
  const presence = me.peek()?.presence ?? localStorage.getItem('nodeim.presence') ?? undefined;
  const data = { ...credentials, api: 2, device: deviceName(), ...(presence ? { presence } : {}) };
  const reply = await request('signin', data, { signedIn: false });
  if (reply.token) {
    token = reply.token;
    localStorage.setItem(TOKEN, token);
  }
  session = reply.session ?? session;
  batch(() => {
    me.value = reply.doc;
    endedBecause.value = null;
    decided.value = true;
    status.value = 'online';
  });
  // One part of the page that fails to refresh must not keep the others from it.
  for (const task of onSignedIn) await Promise.resolve(task(first)).catch(console.error);
}

function forget(reason) {
  token = null;
  localStorage.removeItem(TOKEN);
  localStorage.removeItem('nodeim.presence');
  batch(() => {
    for (const task of onSignedOut) task();
    me.value = null;
    endedBecause.value = reason;
    decided.value = true;
    if (socket.connected) status.value = 'waiting';
  });
}

async function connected() {
  token = localStorage.getItem(TOKEN);
  if (!token) {
    if (me.peek()) forget(null);
    status.value = 'waiting';
    decided.value = true;
    return;
  }
  try {
    await enter({ token }, !me.peek());
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.reason === 'wrong_token' || error.code === 404) forget(me.peek() ? 'expired' : null);
    // Anything else is the server's trouble, and passes: the connection is tried again.
    else if (socket.connected) setTimeout(() => socket.disconnect().connect(), 3_000);
  }
}

socket.on('connect', connected);
on('session.ended', ({ reason }) => forget(reason === 'signout' ? null : reason));

// Another tab signed out, or somebody else in.
addEventListener('storage', (event) => {
  if (event.key === TOKEN && event.newValue !== token) location.reload();
});
