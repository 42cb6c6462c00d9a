// Text must arrive as it was written, whatever the two clients are. Client 1.7 over polling is the hard one: it
// encodes what it sends as UTF-8 twice, and cannot read anything but ASCII. The server makes up for both.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { kinds, newest } from './client.mjs';
import { befriend, newcomer, ok, person, signIn } from './people.mjs';
import { startServer } from './server.mjs';

// Looks like UTF-8 that was encoded twice, but is what someone wrote: repairing it would spoil it.
const LOOKS_BROKEN = 'Ã© ä½ Â§';

const texts = [
  '你好，世界',
  '😀👨‍👩‍👧‍👦🇨🇳 𠮷',
  'é ß ñ Ω й – “x”',
  'café ñandú',
  LOOKS_BROKEN,
  'plain & "quoted" \'text\' \\ / %20 &amp; &lt;b&gt;',
  'line\nline\r\n\ttab \u2028\u2029 end \u00a0',
  '',
  '长'.repeat(5000),
];

// On the wire nothing tells 1.x from 2.x, so this one text over 2.x polling cannot but be taken for the other's.
const cannotSay = ({ version, transport }, text) => version === '2.5' && transport !== 'websocket' && text === LOOKS_BROKEN;

const sayable = (client) => texts.filter((text) => !cannotSay(client.kind, text));

describe('text integrity', { concurrency: 4 }, () => {
  let server;
  before(async () => {
    server = await startServer({ args: ['--rate-limit', 'off'] });
  });
  after(() => server.dispose());

  for (const kind of kinds) {
    for (const style of ['ack', 'envelope']) {
      test(`${kind.name}, ${style}`, async (t) => {
        const reference = await person(server.url, newest);
        t.after(() => reference.close());
        const client = await person(server.url, kind, { style });
        t.after(() => client.close());
        await befriend(reference, client);

        await t.test('to it, one by one', () => send(reference, client));
        await t.test('from it, one by one', () => send(client, reference));
        await t.test('to it, in one go', () => burst(reference, client));
        await t.test('from it, in one go', () => burst(client, reference));
        await t.test('to it, in a room of that name', () => room(reference, client));
        await t.test('from it, in a room of that name', () => room(client, reference));
        await t.test('its names and attributes', () => attributes(client, reference));
        await t.test('to it, while it was away', () => away(reference, client));
      });
    }
  }

  async function send(from, to) {
    for (const message of sayable(from)) {
      await ok(from, 'message', { to: to.id, message });
      assert.strictEqual((await to.take('message')).message, message);
    }
  }

  /** Over polling this packs many packets into one body, whose lengths count characters or bytes by generation. */
  async function burst(from, to) {
    const said = sayable(from);
    await Promise.all(said.map((message) => ok(from, 'message', { to: to.id, message })));
    const events = await to.collect('message', said.length);
    assert.deepEqual(events.map((event) => event.message), said);
  }

  async function room(from, to) {
    const name = '茶话会 Ã© 🍵';
    const { room } = await ok(from, 'room.create', { name });
    assert.strictEqual(room.name, name);
    await ok(to, 'room.join', { id: room.id });
    for (const client of [from, to]) assert.strictEqual((await client.take('room.join')).room.name, name);
    await ok(from, 'room.message', { room: room.id, message: texts[1] });
    for (const client of [from, to]) assert.strictEqual((await client.take('message')).message, texts[1]);
    await ok(to, 'room.leave', { id: room.id });
    await ok(from, 'room.leave', { id: room.id });
    from.unread = from.unread.filter(({ event }) => event !== 'room.join' && event !== 'room.leave');
    to.unread = to.unread.filter(({ event }) => event !== 'room.join');
  }

  async function attributes(client, reference) {
    const doc = { nick: '小明 😀', '签名': 'Ã© 你好', groups: [{ name: '家人 👪' }] };
    await ok(client, 'profile', { doc });
    const [seen] = (await ok(reference, 'find', { id: client.id, '签名': 'Ã© 你好' })).users;
    assert.deepEqual([seen.nick, seen['签名'], seen.username], [doc.nick, doc['签名'], client.username]);
    const [own] = (await ok(client, 'find', { id: client.id, nick: '小明 😀' })).users;
    assert.deepEqual([own.nick, own['签名'], own.username], [doc.nick, doc['签名'], client.username]);
  }

  async function away(from, to) {
    await ok(to, 'signout');
    for (const message of texts) await ok(from, 'message', { to: to.id, message });
    await signIn(to);
    const events = await to.collect('message', texts.length);
    assert.deepEqual(events.map((event) => event.message), texts);
  }

  test('a password is the same over every client', async (t) => {
    const clients = await Promise.all(kinds.map((kind) => newcomer(server.url, kind)));
    t.after(() => clients.forEach((client) => client.close()));
    for (const [index, client] of clients.entries()) {
      const other = clients[(index + 1) % clients.length];
      await ok(other, 'signin', { username: client.username, password: client.password });
      await ok(other, 'signout');
    }
  });
});
