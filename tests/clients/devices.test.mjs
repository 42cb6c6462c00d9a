// Two people with two devices each, every device a client of another generation: who gets which event.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { kind } from './client.mjs';
import { assertMessage, assertQuietDevices, befriend, newcomer, ok, otherDevice, person, refused, signIn } from './people.mjs';
import { startServer } from './server.mjs';

describe('two people, two devices each', () => {
  let server, a1, a2, b1, b2;
  before(async () => {
    server = await startServer({ args: ['--rate-limit', 'off'] });
  });
  after(() => server.dispose());

  beforeEach(async () => {
    a1 = await person(server.url, kind('4.8', 'websocket'));
    a2 = await otherDevice(server.url, kind('1.7', 'polling'), a1);
    await signIn(a2);
    b1 = await person(server.url, kind('3.1', 'upgrade'));
    b2 = await otherDevice(server.url, kind('4.8', 'polling', { msgpack: true }), b1);
    await signIn(b2);
  });
  afterEach(() => [a1, a2, b1, b2].forEach((client) => client.close()));

  /** Nothing more came to anyone. */
  async function assertNothingElse() {
    await assertQuietDevices(a1, b1, b2);
    await assertQuietDevices(b1, a1, a2);
    await assertQuietDevices(a2, b1, b2);
    await assertQuietDevices(b2, a1, a2);
  }

  test('a message goes to both devices of its receiver, and to no other', async () => {
    await ok(a1, 'message', { to: b1.id, message: '你好 😀' });
    for (const device of [b1, b2]) assertMessage(await device.take('message'), { from: a1, to: b1, message: '你好 😀' });
    await ok(b2, 'message', { to: a1.id, message: '再见' });
    for (const device of [a1, a2]) assertMessage(await device.take('message'), { from: b1, to: a1, message: '再见' });
    await assertNothingElse();
  });

  test('requests and answers go to both devices', async () => {
    await ok(a1, 'subscribe', { to: b1.id, message: 'x' });
    for (const device of [b1, b2]) {
      assertMessage(await device.take('message'), { from: a1, to: b1, message: 'x', type: 'request-subscription' });
    }
    await ok(b2, 'reply', { to: a1.id });
    for (const device of [a1, a2]) {
      assertMessage(await device.take('message'), { from: b1, to: a1, message: '同意了你的好友请求', type: 'agree' });
    }
    for (const device of [a1, a2, b1, b2]) assert.equal((await ok(device, 'friends', {})).list.length, 1);
    await assertNothingElse();
  });

  test('a room message goes to every device of every member, each once', async () => {
    const { room } = await ok(a1, 'room.create', { name: '茶话会' });
    for (const device of [a1, a2]) assert.equal((await device.take('room.join')).newbie, true);
    await ok(b2, 'room.join', { id: room.id });
    for (const device of [a1, a2, b1, b2]) assert.equal((await device.take('room.join')).user.id, b1.id);

    await ok(a2, 'room.message', { room: room.id, message: '大家好' });
    for (const device of [a1, a2, b1, b2]) {
      assertMessage(await device.take('message'), { from: a1, to: device, message: '大家好', room: room.id });
    }
    const { onlines } = await ok(b1, 'room.list', { id: room.id });
    assert.deepEqual(onlines.map((user) => user.id), [a1.id, b1.id], 'a person is listed once');

    await ok(b1, 'room.leave', { id: room.id });
    for (const device of [a1, a2]) assert.equal((await device.take('room.leave')).user.id, b1.id);
    await refused(b2, 404, 'room.message', { room: room.id, message: 'x' });
    await ok(a1, 'room.message', { room: room.id, message: 'alone' });
    for (const device of [a1, a2]) await device.take('message');
    await assertNothingElse();
  });

  describe('presence', () => {
    beforeEach(async () => {
      await befriend(a1, b1);
      // The second devices heard of it too.
      for (const device of [a2, b2]) await device.take('message');
    });

    async function friendsSee(presence) {
      for (const device of [b1, b2]) {
        assert.deepEqual(await device.take('presence'), { id: a1.id, presence });
        assert.strictEqual((await ok(device, 'friends', {})).list[0].presence, presence);
      }
    }

    test('the last value set counts, whichever device set it', async () => {
      await ok(a1, 'presence', { presence: '忙碌' });
      await friendsSee('忙碌');
      await ok(a2, 'presence', { presence: '外出就餐' });
      await friendsSee('外出就餐');
      await assertNothingElse();
    });

    test('offline is said when the last device goes, not before', async () => {
      a1.close();
      await assertQuietDevices(a2, b1, b2);
      for (const device of [b1, b2]) {
        assert.strictEqual((await ok(device, 'friends', {})).list[0].presence, '在线');
      }
      await ok(a2, 'signout');
      await friendsSee('离线');
    });

    test('offline is said when the last connection breaks', async () => {
      await ok(a2, 'signout');
      await assertQuietDevices(a1, b1, b2);
      a1.close();
      await friendsSee('离线');
      await refused(a2, 403, 'friends', {});
    });

    test('a further device changes nothing, and does not reveal who hides', async () => {
      await ok(a2, 'signout');
      await ok(a1, 'presence', { presence: '隐身' });
      await friendsSee('离线');
      assert.strictEqual((await signIn(a2)).doc.presence, '隐身');
      await assertNothingElse();

      await ok(a2, 'presence', { presence: '在线' });
      await friendsSee('在线');
      await assertNothingElse();
    });

    test('who hides and goes is not announced twice', async () => {
      await ok(a1, 'presence', { presence: '隐身' });
      await friendsSee('离线');
      await ok(a1, 'signout');
      await ok(a2, 'signout');
      assert.strictEqual((await signIn(a1)).doc.presence, '在线', 'presence ends with the last device');
      await friendsSee('在线');
      await assertQuietDevices(a1, b1, b2);
    });
  });

  test('signing out one device leaves the other signed in', async () => {
    await ok(a1, 'signout');
    await refused(a1, 403, 'friends', {});
    await ok(b1, 'message', { to: a1.id, message: 'still there?' });
    assertMessage(await a2.take('message'), { from: b1, to: a1, message: 'still there?' });

    // The signed-out device signs in again: what the other one got is not missed.
    await signIn(a1);
    await assertNothingElse();
    await refused(a1, 402, 'signin', { username: a1.username, password: a1.password });
  });

  test('what was missed goes to the first device that comes back', async (t) => {
    const c = await newcomer(server.url, kind('2.5', 'upgrade'));
    const c2 = await otherDevice(server.url, kind('4.8', 'upgrade'), c);
    t.after(() => [c, c2].forEach((client) => client.close()));
    await ok(a1, 'message', { to: c.id, message: 'missed' });

    await signIn(c2);
    assertMessage(await c2.take('message'), { from: a1, to: c, message: 'missed' });
    await signIn(c);
    await assertQuietDevices(a1, c, c2);
  });

  test('a connection that changes its account gets the events of the new one only', async () => {
    await ok(a2, 'signout');
    await ok(a2, 'signin', { username: b1.username, password: b1.password });
    await ok(b1, 'message', { to: a1.id, message: 'for a' });
    assertMessage(await a1.take('message'), { from: b1, to: a1, message: 'for a' });
    await ok(a1, 'message', { to: b1.id, message: 'for b' });
    for (const device of [a2, b1, b2]) assertMessage(await device.take('message'), { from: a1, to: b1, message: 'for b' });
    await assertQuietDevices(a1, b1, b2, a2);
    await assertQuietDevices(b1, a1);
  });
});
