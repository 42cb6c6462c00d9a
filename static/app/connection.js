// The socket: requests with a reply, and the events of the server. Who is signed in is session.js's affair.

import { io } from 'socket.io-client';
import { signal } from './html.js';

/** `connecting` (never yet online), `online` (signed in), `waiting` (connected, nobody signed in), `offline`. */
export const status = signal('connecting');

/** A refusal by the server, or the failure to reach it (`reason` is then `offline` or `timeout`). */
export class WireError extends Error {
  constructor({ code = 0, reason = '', message = '' }) {
    super(message || reason || String(code));
    Object.assign(this, { code, reason });
  }
}

const REQUEST_MS = 15_000;

export const socket = io({
  autoConnect: false,
  // Websocket works nearly everywhere; polling is for what stands in its way.
  transports: ['websocket', 'polling'],
  tryAllTransports: true,
  reconnectionDelay: 500,
  reconnectionDelayMax: 5_000,
});

/** One command. Resolves with the reply if its code is 200, else throws a WireError. */
export async function request(command, data = {}, { timeout = REQUEST_MS, signedIn = true } = {}) {
  const deadline = Date.now() + timeout;
  await ready(signedIn, timeout);
  let reply;
  try {
    reply = await socket.timeout(Math.max(1_000, deadline - Date.now())).emitWithAck(command, data);
  } catch {
    throw new WireError({ reason: socket.connected ? 'timeout' : 'offline' });
  }
  if (reply?.code !== 200) throw new WireError(reply ?? {});
  return reply;
}

/** Before signing in, commands would be refused; and while offline the socket would keep them and send them twice. */
function ready(signedIn, timeout) {
  const isReady = () => socket.connected && (!signedIn || status.peek() === 'online');
  if (isReady()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (finish, value) => {
      clearTimeout(timer);
      stop();
      finish(value);
    };
    const timer = setTimeout(() => done(reject, new WireError({ reason: 'offline' })), timeout);
    let stop = () => {};
    stop = status.subscribe(() => isReady() && queueMicrotask(() => done(resolve)));
  });
}

/** Tells the handler of each event of this name. */
export function on(event, handler) {
  socket.on(event, handler);
}

socket.on('disconnect', (why) => {
  status.value = 'offline';
  // After a close by the server the library would not come back by itself.
  if (why === 'io server disconnect') setTimeout(() => socket.connect(), 1_000);
});
socket.on('connect_error', () => {
  if (status.peek() !== 'connecting') status.value = 'offline';
});
addEventListener('online', () => socket.active && !socket.connected && socket.io.engine && socket.connect());
