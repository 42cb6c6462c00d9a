// Five thousand commands fired without waiting, under the default configuration: nothing lost, nothing out of turn.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { kind, newest } from './client.mjs';
import { ok, otherDevice, person, signIn } from './people.mjs';
import { startServer } from './server.mjs';
import { within } from './wait.mjs';

const COMMANDS = 5000;
const PATIENCE_MS = 60_000;

describe('order', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());

  test('5,000 room messages of one connection, for those who are there and those who come later', async (t) => {
    const sender = await person(server.url, newest);
    const present = await person(server.url, kind('4.8', 'upgrade'));
    const oldest = await person(server.url, kind('1.7', 'websocket'));
    const absent = await person(server.url, newest);
    t.after(() => [sender, present, oldest, absent].forEach((client) => client.close()));

    const { room } = await ok(sender, 'room.create', { name: '队列' });
    for (const member of [present, oldest, absent]) await ok(member, 'room.join', { id: room.id });
    await ok(absent, 'signout');

    const numbers = Array.from({ length: COMMANDS }, (_, n) => n);
    const replies = [];
    const sent = new Promise((resolve) => {
      for (const n of numbers) {
        sender.socket.emit('room.message', { room: room.id, message: `${n}` }, (reply) => {
          replies.push([n, reply.code]);
          if (replies.length === COMMANDS) resolve();
        });
      }
    });
    await within(sent, PATIENCE_MS, () => `${replies.length} of ${COMMANDS} replies; ${sender.seen()}`);
    assert.deepEqual(replies, numbers.map((n) => [n, 200]), 'every command was accepted, and answered in turn');

    const returned = await otherDevice(server.url, newest, absent);
    t.after(() => returned.close());
    await signIn(returned);
    for (const client of [sender, present, oldest, returned]) {
      const events = await client.collect('message', COMMANDS);
      assert.deepEqual(events.map((event) => Number(event.message)), numbers, `${client}`);
    }
  });

  test('commands that depend on one another, fired without waiting', async (t) => {
    const client = await person(server.url, newest);
    t.after(() => client.close());
    const { username, password } = client;

    // Each of these replies as it does only when the one before it is done.
    const rounds = 20;
    const names = ['friends', 'signout', 'friends', 'signin'];
    const fired = Array.from({ length: rounds }, () => names.map((name) => client.command(name, name === 'signin' ? { username, password } : {})));
    const codes = (await Promise.all(fired.flat())).map((reply) => reply.code);
    assert.deepEqual(codes, Array.from({ length: rounds }, () => [200, 200, 403, 200]).flat());
  });
});
