// The server goes and comes back, or the network does: what was said meanwhile is said once, what was missed appears.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { WAIT_MS, within } from '../clients/wait.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();
// The browser itself notes each attempt that fails.
const CUT = /WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_FAILED|ERR_INTERNET_DISCONNECTED/;

for (const way of ['stop', 'kill']) {
  scene(`the server is gone for a while (${way}): what is written meanwhile is sent after it, once and in order`, async (play) => {
    play.allow(CUT);
    const bob = await play.person('bob');
    const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
    await alee.say('before');
    await alee.sent('before');
    await bob.openChat(alee.username);
    await bob.sees('before');

    await play.server[way]();
    await alee.page.getByRole('status').getByText('No connection. Trying again …').waitFor();
    await bob.page.getByRole('status').getByText('No connection. Trying again …').waitFor();
    for (const text of ['one', 'two', 'three']) {
      await alee.say(text);
      await alee.log.getByText(text, { exact: true }).waitFor();
    }
    await eventually('three wait', () => alee.log.getByRole('img', { name: 'Waiting for the connection' }).count(), (count) => count === 3);
    await bob.say('an answer');
    // What is half written stays as well.
    await alee.composer.fill('half a sent');

    await play.server.start();
    for (const text of ['one', 'two', 'three']) await alee.sent(text);
    await bob.sees('three');
    await alee.sees('an answer');
    await alee.page.getByText('No connection').waitFor({ state: 'detached' });
    assert.equal(await alee.composer.inputValue(), 'half a sent');
    await alee.composer.fill('');
    await alee.say('after');
    await bob.sees('after');
    for (const actor of [alee, bob]) {
      const texts = await actor.texts();
      assert.deepEqual(texts.filter((text) => text !== 'an answer'), ['before', 'one', 'two', 'three', 'after']);
      assert.equal(texts.filter((text) => text === 'an answer').length, 1);
    }
    const last = await alee.texts();
    await alee.reload();
    await alee.sees('after');
    assert.deepEqual(await alee.texts(), last);
  });
}

scene('who lost the network finds what was said, edited and taken back meanwhile', async (play) => {
  play.allow(CUT);
  let network;
  const bob = await play.person('bob', { before: async (context) => (network = await wire(context)) });
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  for (const text of ['stays', 'to be changed', 'to be taken back']) {
    await alee.say(text);
    await alee.sent(text);
  }
  await bob.openChat(alee.username);
  await bob.sees('to be taken back');

  await network.cut();
  await bob.page.getByText('No connection. Trying again …').waitFor();
  await bob.say('said in the tunnel');
  await alee.messageMenu('to be changed', 'Edit');
  await alee.say('has changed');
  await alee.message('has changed').getByText('edited').waitFor();
  await alee.messageMenu('to be taken back', 'Take back');
  await alee.dialog.getByRole('button', { name: 'Take back' }).click();
  await alee.log.getByText('You took back a message').waitFor();
  for (let number = 1; number <= 30; number += 1) await alee.say(`meanwhile ${number}`);
  await alee.sent('meanwhile 30');
  assert.equal(await bob.message('meanwhile').count(), 0);

  await network.mend();
  await bob.sees('meanwhile 30');
  await bob.message('has changed').getByText('edited').waitFor();
  await bob.log.getByText(`${alee.username} took back a message`).waitFor();
  await alee.sees('said in the tunnel');
  await bob.sent('said in the tunnel');
  const expected = ['stays', 'has changed', ...Array.from({ length: 30 }, (_, index) => `meanwhile ${index + 1}`), 'said in the tunnel'];
  assert.deepEqual(await bob.texts(), expected);
  assert.deepEqual(await alee.texts(), expected);
});

scene('what waits to be sent outlives a reload', async (play) => {
  play.allow(CUT);
  let network;
  const bob = await play.client('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}`, before: async (context) => (network = await wire(context)) });
  await alee.composer.waitFor();
  await network.cut();
  await alee.page.getByText('No connection. Trying again …').waitFor();
  await alee.say('kept');
  await alee.log.getByRole('img', { name: 'Waiting for the connection' }).waitFor();
  await network.mend();
  await alee.reload();
  await alee.sent('kept');
  const event = await bob.take('message', ({ message }) => message === 'kept');
  assert.equal(event.from.id, alee.id);
  await ok(bob, 'message', { to: alee.id, message: 'got it' });
  await alee.sees('got it');
  assert.deepEqual(await alee.texts(), ['kept', 'got it']);
});

scene('what is said shows even when the connection broke before the history came', async (play) => {
  play.allow(CUT);
  const bob = await play.client('bob');
  let network, answered;
  const asked = new Promise((resolve) => (answered = resolve));
  const lost = (frame) => {
    const isHistory = /^43\d+\[.*"messages":.*"peerRead":/.test(frame);
    if (isHistory) answered();
    return isHistory;
  };
  const before = async (context) => (network = await wire(context, lost));
  const alee = await play.person('alee', { path: `/#/u/${bob.id}`, before });
  await within(asked, WAIT_MS, () => 'the page asked for no history');
  await network.cut();
  await alee.page.getByText('No connection. Trying again …').waitFor();
  await alee.say('kept');
  await alee.log.getByRole('img', { name: 'Waiting for the connection' }).waitFor();
  await alee.log.getByText('kept', { exact: true }).waitFor();
});

scene('a session that ended while one was away leads to the sign-in form', async (play) => {
  const account = await play.client('alee');
  const alee = await play.device(account);
  await alee.page.goto('about:blank');
  await ok(account, 'signout', { everywhere: true });
  await alee.page.goto('/');
  await alee.button('Sign in').waitFor();
  await alee.page.getByText('The session has ended. Please sign in again.').waitFor({ state: 'detached' });
});

/**
 * A network that can be cut: going offline refuses new connections, and those that are open are closed here. Frames of
 * the server for which `loses(frame)` holds never arrive.
 */
async function wire(context, loses = () => false) {
  const open = new Set();
  await context.routeWebSocket(/socket\.io/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => loses(frame) || socket.send(frame));
    open.add(socket);
  });
  return {
    async cut() {
      await context.setOffline(true);
      for (const socket of open) await socket.close();
      open.clear();
    },
    mend: () => context.setOffline(false),
  };
}
