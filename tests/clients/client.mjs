// One connection of a real client library, of any generation, with a record of all that it was sent.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { portCommand } from './ported.mjs';
import { WAIT_MS, within } from './wait.mjs';

const require = createRequire(import.meta.url);

const packages = {
  '0.9': 'socket.io-client-0.9',
  1.7: 'socket.io-client-1',
  2.5: 'socket.io-client-2',
  3.1: 'socket.io-client-3',
  4.8: 'socket.io-client',
};

const transports = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
};

/** What client 0.9 calls the transports that it has in Node. It does not move from one to the other. */
const transports09 = {
  websocket: ['websocket'],
  polling: ['xhr-polling'],
};

/** Every event that the server may send. */
const EVENTS = ['message', 'presence', 'room.join', 'room.leave', 'upload', 'rspn'];

/** Every client that must work: each generation over each transport, and the newest one with msgpack. */
export const kinds = [
  ...Object.keys(transports09).map((transport) => kind('0.9', transport)),
  ...Object.keys(packages)
    .filter((version) => version !== '0.9')
    .flatMap((version) => Object.keys(transports).map((transport) => kind(version, transport))),
  ...Object.keys(transports).map((transport) => kind('4.8', transport, { msgpack: true })),
];

/** The client that the others are measured against. */
export const newest = kind('4.8', 'websocket');

/** `kind('1.7', 'polling')`: which library, over which transport. */
export function kind(version, transport, { msgpack = false } = {}) {
  const name = `${version} ${transport}${msgpack ? ' msgpack' : ''}`;
  return { version, transport, msgpack, name };
}

/**
 * Connects; `style` says how commands are sent: `ack`, or `envelope` for the ported `socket.command`. `options` are the
 * library's own; 0.9 has none that matter here.
 */
export async function connect(url, kind, { style = 'ack', options } = {}) {
  const client = new Client(open(url, kind, options), kind, style);
  await client.orClosed(client.take('connect'));
  return client;
}

function open(url, { version, transport, msgpack }, further) {
  const io = require(packages[version]);
  if (version === '0.9') return open09(io, url, transport);
  const options = {
    ...further,
    forceNew: true,
    transports: transports[transport],
    // The defaults wait for seconds between attempts; tests that restart the server should not.
    reconnectionDelay: 50,
    reconnectionDelayMax: 300,
  };
  if (msgpack) {
    options.path = '/socket.io-msgpack/';
    options.parser = require('socket.io-msgpack-parser');
  }
  return io(url, options);
}

function open09(io, url, transport) {
  return io.connect(url, {
    'force new connection': true,
    transports: transports09[transport],
    // The delay doubles up to the limit.
    'reconnection delay': 50,
    'reconnection limit': 300,
    'max reconnection attempts': 200,
  });
}

export class Client {
  /** Everything that happened here, in order: events, replies, connects and disconnects. */
  log = [];
  /** The events that no test has taken yet. */
  unread = [];
  #waiting = new Set();

  constructor(socket, kind, style) {
    this.socket = socket;
    this.kind = kind;
    this.style = style;
    if (style === 'envelope') portCommand(socket);
    for (const event of EVENTS) {
      // A reply in an envelope is not an event for the test: `command` gives it out.
      if (event === 'rspn' && style === 'envelope') continue;
      socket.on(event, (data) => this.#record(event, data));
    }
    socket.on('connect', () => this.#record('connect'));
    socket.on('disconnect', (reason) => this.#record('disconnect', reason));
  }

  /** The transport in use now. */
  get transport() {
    return this.socket.io.engine.transport.name;
  }

  /** Sends a command and gives its reply. */
  command(name, data = {}) {
    return this.#sent((reply) => {
      if (this.style === 'envelope') this.socket.command(name, data, reply);
      else this.socket.emit(name, data, reply);
    }, name);
  }

  /** Sends any event with an ack and any arguments, as a stranger might. */
  emit(name, ...args) {
    return this.#sent((reply) => this.socket.emit(name, ...args, reply), name);
  }

  #sent(send, name) {
    const replied = new Promise((resolve) => {
      send((...replies) => {
        // Noted here and not by whoever awaits: that runs later, perhaps after further events.
        this.log.push({ event: `reply to ${name}`, data: replies[0] });
        resolve(replies);
      });
    });
    return within(replied, WAIT_MS, () => `no reply to ${name}; ${this.seen()}`).then((replies) => {
      assert.equal(replies.length, 1, `the reply to ${name} is one object`);
      return replies[0];
    });
  }

  /** Takes the first event of that name that matches, waiting for it if need be. */
  async take(event, matches = () => true) {
    const find = () => this.unread.findIndex((entry) => entry.event === event && matches(entry.data));
    await this.#until(() => find() >= 0, () => `no ${event}${matches.length ? ` with ${matches}` : ''}; ${this.seen()}`);
    return this.unread.splice(find(), 1)[0].data;
  }

  /** Takes the first `count` events of that name that match, in order. */
  async collect(event, count, matches = () => true) {
    const found = () => this.unread.filter((entry) => entry.event === event && matches(entry.data));
    await this.#until(() => found().length >= count, () => `${found().length} of ${count} ${event}; ${this.seen()}`);
    const taken = new Set(found().slice(0, count));
    this.unread = this.unread.filter((entry) => !taken.has(entry));
    return [...taken].map((entry) => entry.data);
  }

  /** Fails if an event came that nobody took. */
  assertAllTaken() {
    assert.deepEqual(this.unread, [], `${this} got events that it should not have`);
  }

  /** What `promise` gives; if it gives none, the client does not go on trying. */
  orClosed(promise) {
    return promise.catch((error) => {
      this.close();
      throw error;
    });
  }

  close() {
    // What 0.9 calls it, and the others too.
    this.socket.disconnect();
  }

  toString() {
    return `${this.username ?? 'a client'} (${this.kind.name}, ${this.style})`;
  }

  /** What came lately, for the message of a failed test. */
  seen() {
    const last = this.log.slice(-12).map(({ event, data }) => `  ${event} ${JSON.stringify(data)?.slice(0, 300) ?? ''}`);
    return `${this} saw ${this.log.length} things, ${this.unread.length} not taken; the last:\n${last.join('\n')}`;
  }

  #record(event, data) {
    const entry = { event, data };
    this.log.push(entry);
    // Losing the connection matters to few tests; they look into `log`.
    if (event !== 'disconnect') this.unread.push(entry);
    for (const check of this.#waiting) check();
  }

  async #until(holds, describe) {
    if (holds()) return;
    let check;
    const reached = new Promise((resolve) => {
      check = () => holds() && resolve();
      this.#waiting.add(check);
    });
    try {
      await within(reached, WAIT_MS, describe);
    } finally {
      this.#waiting.delete(check);
    }
  }
}
