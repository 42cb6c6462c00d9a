// What all parts of the page share: the socket, who I am, whom I know.

import { withCommands } from './command.js';

/* global io: from /socket.io/socket.io.js, as a script tag has always brought it */
export const socket = withCommands(io({ transports: ['websocket', 'polling'], tryAllTransports: true }));

export const state = {
  /** The document that `signin` gave, or null. */
  me: null,
  /** id → person, with `group` and `presence`. */
  friends: new Map(),
  /** id → `{id, name, intro, creator}` */
  rooms: new Map(),
};

export const nameOf = (person) => person.nick || person.username;
/** A talk is with a person, `u2`, or in a room, `r5`. */
export const keyOfMessage = ({ room, from }) => (room ? `r${room}` : `u${from.id}`);
