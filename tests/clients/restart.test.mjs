// The server goes away and comes back on the same port with the same data: cleanly, and as after a power cut.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, kinds, newest } from './client.mjs';
import { befriend, newcomer, ok, otherDevice, person, refused, signIn } from './people.mjs';
import { databases, startServer } from './server.mjs';
import { WAIT_MS, within } from './wait.mjs';

const MESSAGES = 3000;
const ACKS_BEFORE_THE_CUT = 1000;

for (const database of databases) {
  describe(`restart on ${database}`, () => {
    let server;
    before(async () => {
      server = await startServer({ database, args: ['--rate-limit', 'off'] });
    });
    after(() => server.dispose());

    const goAway = { SIGTERM: () => server.stop(), SIGKILL: () => server.kill() };
    for (const [signal, end] of Object.entries(goAway)) {
      test(`clients come back by themselves after ${signal}`, async (t) => {
        const clients = await Promise.all(kinds.map((kind) => person(server.url, kind)));
        t.after(() => clients.forEach((client) => client.close()));

        await end();
        await server.start();
        await Promise.all(clients.map(comesBack));
      });
    }

    test('everything acknowledged survives SIGKILL and arrives once, in order', (t) => powerCut(t, server));

    test('accounts, friends and rooms survive SIGKILL', async (t) => {
      const a = await person(server.url, newest);
      const b = await person(server.url, newest);
      t.after(() => [a, b].forEach((client) => client.close()));
      await befriend(a, b);
      await ok(a, 'group', { to: b.id, group: '同事' });
      const { room } = await ok(a, 'room.create', { name: '茶话会' });
      await ok(b, 'room.join', { id: room.id });
      await ok(b, 'profile', { doc: { nick: '小明 😀' } });

      await server.kill();
      await server.start();
      const again = await otherDevice(server.url, newest, a);
      t.after(() => again.close());
      const { rooms } = await signIn(again);
      assert.deepEqual(rooms.map(({ id, name }) => ({ id, name })), [{ id: room.id, name: '茶话会' }]);
      const [friend] = (await ok(again, 'friends', {})).list;
      assert.deepEqual([friend.id, friend.group, friend.nick, friend.presence], [b.id, '同事', '小明 😀', '离线']);
    });
  });
}

/** The library reconnects; the session is a new one, which knows nobody until it signs in again. */
async function comesBack(client) {
  await client.take('connect');
  const reasons = client.log.filter(({ event }) => event === 'disconnect').map(({ data }) => data);
  assert.equal(reasons.length, 1, `${client} lost its connection once: ${reasons}`);
  // After this one a client stays away for good.
  assert.notEqual(reasons[0], 'io server disconnect', `${client}`);

  await refused(client, 403, 'friends', {});
  await signIn(client);
  assert.deepEqual((await ok(client, 'friends', {})).list, []);
}

/** Many receivers are away while one sender writes to them and to their room, without waiting; then the power goes. */
async function powerCut(t, server) {
  const sender = await person(server.url, newest);
  const receivers = await Promise.all(kinds.map((kind) => newcomer(server.url, kind)));
  t.after(() => [sender, ...receivers].forEach((client) => client.close()));
  const { room } = await ok(sender, 'room.create', { name: '夜班' });
  for (const receiver of receivers) {
    await signIn(receiver);
    await ok(receiver, 'room.join', { id: room.id });
    // Closing alone may reach the server after the first messages.
    await ok(receiver, 'signout');
    receiver.close();
  }

  // Message n goes to the room when n is even, else to one receiver after the other.
  const target = (n) => (n % 2 === 0 ? null : receivers[((n - 1) / 2) % receivers.length]);
  const acknowledged = new Set();
  let killed;
  const cut = new Promise((resolve) => {
    sender.socket.once('disconnect', resolve);
    for (let n = 0; n < MESSAGES; n++) {
      const to = target(n);
      const [name, data] = to ? ['message', { to: to.id }] : ['room.message', { room: room.id }];
      sender.socket.emit(name, { ...data, message: `${n} 号 😀` }, (reply) => {
        if (reply.code !== 200) return;
        acknowledged.add(n);
        if (acknowledged.size === ACKS_BEFORE_THE_CUT) killed = server.kill();
      });
    }
  });
  await within(cut, WAIT_MS, () => `${acknowledged.size} of ${MESSAGES} acknowledged; ${sender.seen()}`);
  sender.close();
  assert.ok(killed, 'the connection held until the cut');
  await killed;
  await server.start();

  const later = await connect(server.url, newest);
  t.after(() => later.close());
  await ok(later, 'signin', { username: sender.username, password: sender.password });
  await Promise.all(receivers.map((receiver) => missedOnce(t, server, later, receiver, (n) => {
    return acknowledged.has(n) && [null, receiver].includes(target(n));
  })));
}

async function missedOnce(t, server, sender, account, mustArrive) {
  const receiver = await otherDevice(server.url, account.kind, account);
  t.after(() => receiver.close());
  const numbers = async (marker) => {
    await signIn(receiver);
    // What is sent now to one connection comes after what it had missed.
    await ok(sender, 'message', { to: account.id, message: marker });
    await receiver.take('message', (event) => event.message === marker);
    const events = receiver.unread.filter(({ event }) => event === 'message');
    receiver.unread = [];
    return events.map(({ data }) => Number(/^(\d+) 号 😀$/.exec(data.message)[1]));
  };

  const arrived = await numbers('the marker');
  assert.deepEqual(arrived, [...new Set(arrived)].sort((x, y) => x - y), `${receiver}: each once, in order`);
  const lost = Array.from({ length: MESSAGES }, (_, n) => n).filter((n) => mustArrive(n) && !arrived.includes(n));
  assert.deepEqual(lost, [], `${receiver}: acknowledged and lost`);

  await ok(receiver, 'signout');
  assert.deepEqual(await numbers('another marker'), [], `${receiver}: nothing comes twice`);
}
