// Two browsers of different generations: a page of 2013 with socket.io-client 0.9 as the server hands it out, and the
// page of today.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before } from 'node:test';
import { assertMessage, assertPublic, ok, refused, signIn } from '../clients/people.mjs';
import { WAIT_MS, within } from '../clients/wait.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene, stage: common } = stage();
const TRANSPORTS = ['websocket', 'xhr-polling', 'jsonp-polling'];
const PASSWORD = '密码 111111';
const PWN = 'window.__pwned=1;top.__pwned=1';
// The browser itself notes each attempt that fails.
const CUT = /WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING/;
/** What the library itself tells its page. */
const LIFECYCLE = /^(connecting|connect|disconnect|reconnecting|reconnect|error)$/;

/** Another origin than the server's, as the pages of the old clients were. */
let site;
before(async () => {
  site = createServer((request, response) => {
    const transport = new URL(request.url, 'http://localhost').searchParams.get('transport');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(pageOf2013(common.server.url, transport));
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
});
after(() => {
  site.close();
  site.closeAllConnections();
});

for (const transport of TRANSPORTS) {
  scene(`0.9 over ${transport} and the page of today: friends, talk, a room, presence`, async (play) => {
    const bob = await play.person('bob');
    const alee = await arrive(play, 'alee', transport);
    await becomeFriends(play, alee, bob);
    await talk(alee, bob);
    await meetInRoom(alee, bob);
    await showPresence(alee, bob);
    await goAndComeBack(alee, bob);
    await alee.assertAllTaken();
  });

  scene(`0.9 over ${transport}: what was missed comes whole, in order and harmless`, async (play) => {
    const carol = await play.client('carol');
    const alee = await arrive(play, 'alee', transport);
    await ok(alee, 'signout');
    const texts = ['第一 🍵', '\u2028 and \u2029', '\ufffd5\ufffd1::', 'back\\slash "quote" \'apostrophe\'', 'a\nb\tc'];
    texts.push(...Array.from({ length: 40 }, (_, number) => `${'😀'.repeat(number)} ${number}`), '字'.repeat(20_000));
    for (const message of texts) await ok(carol, 'message', { to: alee.id, message });
    await ok(carol, 'message', { to: alee.id, message: `<img src="/x" onerror="${PWN}"><script>${PWN}</script><b>thick</b>` });
    await signIn(alee);
    for (const message of texts) assertMessage(await alee.take('message'), { from: carol, to: alee, message });
    const last = await alee.take('message');
    assert.match(last.message, /<b>thick<\/b>$/);
    assert.doesNotMatch(last.message, /onerror|script/);

    // A burst the other way: over polling most of it waits until the first request is answered.
    const replies = await Promise.all(texts.map((message) => alee.command('message', { to: carol.id, message })));
    assert.deepEqual(replies, texts.map(() => ({ code: 200 })));
    const events = await carol.collect('message', texts.length);
    assert.deepEqual(events.map((event) => event.message), texts);
    await alee.assertAllTaken();
  });

  for (const way of ['stop', 'kill']) {
    scene(`0.9 over ${transport} comes back by itself after the server (${way}) and signs in again`, async (play) => {
      play.allow(CUT);
      const bob = await play.person('bob');
      const alee = await arrive(play, 'alee', transport);
      await becomeFriends(play, alee, bob);
      await bob.openChat(alee.username);
      await ok(alee, 'message', { to: bob.id, message: '再见？' });
      await bob.sees('再见？');
      await alee.page.evaluate((account) => (window.account = account), { username: alee.username, password: PASSWORD });

      await play.server[way]();
      await alee.take('disconnect');
      await bob.page.getByText('No connection. Trying again …').waitFor();
      await bob.say('还在吗？👀');
      await play.server.start();

      const welcome = await alee.take('signed in');
      assert.equal(welcome.code, 200);
      assert.equal(welcome.doc.id, alee.id);
      assert.equal(await alee.transport(), transport);
      await alee.take('message', (event) => event.message === '还在吗？👀' && event.from.id === bob.id);
      await ok(alee, 'message', { to: bob.id, message: '回来了 🙂' });
      await bob.sees('回来了 🙂');
      await bob.row(alee.username).getByRole('img', { name: 'Online', exact: true }).waitFor();
    });
  }
}

async function becomeFriends(play, alee, bob) {
  const { users } = await ok(alee, 'find', { username: bob.username });
  assert.deepEqual(users.map((user) => user.id), [bob.id]);
  assertPublic(users[0]);
  await ok(alee, 'subscribe', { to: bob.id, message: '你好，我是 <alee> 😀' });
  await bob.tab('Friends');
  const request = bob.side.getByRole('region', { name: 'Friend requests' });
  await request.getByText(alee.username).waitFor();
  await request.getByRole('button', { name: 'Accept' }).click();
  assertMessage(await alee.take('message'), { from: bob, to: alee, message: '同意了你的好友请求', type: 'agree' });
  await bob.row(alee.username).waitFor();

  // And the other way round.
  const carol = await play.person('carol', { path: `/#/u/${alee.id}` });
  await carol.choose(carol.main.getByRole('button', { name: 'More' }), 'Details');
  await carol.details.getByRole('button', { name: 'Add friend' }).click();
  await carol.dialog.getByLabel('Note').fill('我也是 🍵');
  await carol.dialog.getByRole('button', { name: 'Send request' }).click();
  assertMessage(await alee.take('message'), { from: carol, to: alee, message: '我也是 🍵', type: 'request-subscription' });
  await ok(alee, 'reply', { to: carol.id, refuse: 0 });
  await carol.tab('Friends');
  await carol.row(alee.username).waitFor();
  const { list } = await ok(alee, 'friends', {});
  assert.deepEqual(list.map((friend) => friend.id).sort(), [bob.id, carol.id].sort());
  await carol.context.close();
  assert.deepEqual(await alee.take('presence'), { id: carol.id, presence: '离线' });
}

async function talk(alee, bob) {
  await bob.openChat(alee.username);
  assert.deepEqual(await alee.command('message', { to: bob.id, message: '今晚<b>一起</b>喝茶吗？🍵👨‍👩‍👧 a &lt; b' }), { code: 200 });
  await bob.sees('今晚一起喝茶吗？🍵👨‍👩‍👧 a < b');
  assert.equal(await bob.message('今晚').locator('b').innerText(), '一起');
  await ok(alee, 'message', { to: bob.id, message: `<img src=x onerror="${PWN}">没事<script>${PWN}</script>` });
  await bob.sees('没事');
  assert.equal(await bob.message('没事').locator('.text img, .text script').count(), 0);

  await bob.say('好！😀 1 < 2 & <i>not slanted</i>');
  const answer = await alee.take('message');
  assertMessage(answer, { from: bob, to: alee, message: '好！😀 1 &lt; 2 &amp; &lt;i&gt;not slanted&lt;/i&gt;' });
  // The page of 2013 puts it into itself as it came.
  await alee.page.getByText('好！😀 1 < 2 & <i>not slanted</i>', { exact: true }).waitFor();
  await bob.sent('好！😀');
}

async function meetInRoom(alee, bob) {
  const { room } = await ok(alee, 'room.create', { name: '茶话会 🍵', intro: '随便聊' });
  assert.deepEqual(room._roomdoc, { id: room.id, name: '茶话会 🍵', intro: '随便聊', creator: alee.id });
  assert.deepEqual(Object.keys(room.users), [String(alee.id)]);
  const takeJoin = async (id) => {
    const joined = await alee.take('room.join');
    assert.deepEqual([joined.room.id, joined.user.id, joined.newbie], [room.id, id, true]);
    assertPublic(joined.user);
  };
  await takeJoin(alee.id);
  await bob.tab('Rooms');
  await bob.side.getByRole('button', { name: 'Join a room' }).click();
  await bob.dialog.getByLabel('Room number').fill(String(room.id));
  await bob.dialog.getByRole('button', { name: 'Join' }).click();
  await bob.page.getByRole('heading', { name: '茶话会 🍵' }).first().waitFor();
  await takeJoin(bob.id);

  await ok(alee, 'room.message', { room: room.id, message: '大家好 😀' });
  await bob.sees('大家好 😀');
  await bob.say('你好 🙂');
  for (const [from, message] of [[alee, '大家好 😀'], [bob, '你好 🙂']]) {
    assertMessage(await alee.take('message'), { from, to: alee, message, room: room.id });
  }
  const { onlines, offlines } = await ok(alee, 'room.list', { id: room.id });
  assert.deepEqual(onlines.map((user) => user.id).sort(), [alee.id, bob.id].sort());
  assert.deepEqual(offlines, []);
}

async function showPresence(alee, bob) {
  await bob.tab('Friends');
  const seen = (presence) => bob.row(alee.username).getByRole('img', { name: presence, exact: true }).waitFor();
  for (const [set, shown] of [['忙碌', 'Busy'], ['隐身', 'Offline'], ['在线', 'Online']]) {
    await ok(alee, 'presence', { presence: set });
    await seen(shown);
  }
  for (const [chosen, told] of [['Away', '离开'], ['Invisible', '离线'], ['Online', '在线']]) {
    await bob.choose(bob.myMenu, chosen);
    assert.deepEqual(await alee.take('presence'), { id: bob.id, presence: told });
  }
}

async function goAndComeBack(alee, bob) {
  const seen = (presence) => bob.row(alee.username).getByRole('img', { name: presence, exact: true }).waitFor();
  assert.deepEqual(await alee.command('signout'), { code: 200, message: 'bye' });
  await seen('Offline');
  await refused(alee, 403, 'friends', {});
  await bob.openChat(alee.username);
  await bob.say('到家了吗？🏠');
  await bob.sent('到家了吗？🏠');
  await alee.assertAllTaken();
  const { rooms } = await signIn(alee);
  assert.deepEqual(rooms.map((room) => room.name), ['茶话会 🍵']);
  assert.equal((await alee.take('room.join')).newbie, false);
  assertMessage(await alee.take('message'), { from: bob, to: alee, message: '到家了吗？🏠' });
  await seen('Online');
  await ok(alee, 'signout');
  await seen('Offline');
}

/** Somebody with a new account, signed in with a client of 2013. */
async function arrive(play, stem, transport) {
  const { port } = site.address();
  const actor = await play.visitor({ path: `http://127.0.0.1:${port}/?transport=${transport}` });
  const client = new OldClient(actor, transport);
  client.username = actor.username = play.fresh(stem);
  client.password = PASSWORD;
  await client.take('connect');
  assert.equal(await client.transport(), transport);
  await refused(client, 403, 'friends', {});
  client.id = (await ok(client, 'signup', { username: client.username, password: PASSWORD, sex: '1' })).id;
  const { doc } = await signIn(client);
  assert.deepEqual([doc.id, doc.username, doc.sex, doc.presence], [client.id, client.username, '1', '在线']);
  return client;
}

/** The client of a page of 2013, with the same handles as those of `../clients`. */
class OldClient {
  #taken = new Set();

  constructor(actor, transport) {
    this.page = actor.page;
    this.kind = `0.9 ${transport}`;
  }

  /** Sends a command by the page's `socket.command` and gives its reply. */
  command(name, data) {
    const reply = this.page.evaluate(
      ([name, data]) => new Promise((resolve) => window.socket.command(name, data, resolve)),
      [name, data],
    );
    return within(reply, WAIT_MS, () => `no reply to ${name}`);
  }

  /** Takes the first thing of that name that matches among what the page was given, waiting for it if need be. */
  async take(event, matches = () => true) {
    const first = async () => {
      const received = await this.#received();
      return { entry: received.find((one, index) => !this.#taken.has(index) && one.event === event && matches(one.data)), received };
    };
    const { entry, received } = await eventually(`${this} gets ${event}`, first, ({ entry }) => entry);
    this.#taken.add(received.indexOf(entry));
    return entry.data;
  }

  /** Fails if the page was given anything that no test took, of whatever name. */
  async assertAllTaken() {
    const rest = (await this.#received()).filter(({ event }, index) => !this.#taken.has(index) && !LIFECYCLE.test(event));
    assert.deepEqual(rest, [], `${this} got events that it should not have`);
  }

  #received() {
    return this.page.evaluate(() => window.received);
  }

  transport() {
    return this.page.evaluate(() => window.socket.socket.transport.name);
  }

  toString() {
    return `${this.username} (${this.kind})`;
  }
}

function pageOf2013(address, transport) {
  return `<!DOCTYPE html>
<title>The client of 2013</title>
<link rel="icon" href="data:,">
<script src="${address}/socket.io/0.9/socket.io.js"></script>
<body>
<ul id="messages"></ul>
<script>(${scriptOf2013})(${JSON.stringify(address)}, ${JSON.stringify(transport)})</script>
`;
}

/** Runs in the page. */
function scriptOf2013(address, transport) {
  var received = (window.received = []);
  // The option alone is merged item by item into this list, and so leaves other transports in it.
  io.transports = [transport];
  var socket = (window.socket = io.connect(address, {
    transports: [transport],
    // The delay doubles up to the limit.
    'reconnection delay': 50,
    'reconnection limit': 300,
    'max reconnection attempts': 200,
  }));

  var calls = [];
  socket.command = function (name, data, callback) {
    socket.emit(name, { id: calls.push({ name: name, callback: callback }) - 1, data: data });
  };
  socket.on('rspn', function (reply) {
    var call = calls[reply.id];
    if (!call || call.name !== reply.cmd) throw new Error('a reply that nobody asked for: ' + JSON.stringify(reply));
    calls[reply.id] = null;
    call.callback(reply.data);
  });
  socket.on('message', function (event) {
    var item = document.createElement('li');
    item.innerHTML = event.message;
    document.getElementById('messages').appendChild(item);
  });
  // Who comes back signs in again.
  socket.on('connect', function () {
    if (!window.account) return;
    socket.command('signin', window.account, function (reply) {
      received.push({ event: 'signed in', data: reply });
    });
  });

  // All that the library gives out, of whatever name, is written down.
  var emit = socket.$emit;
  socket.$emit = function (name, data) {
    if (name !== 'rspn') received.push({ event: name, data: data === undefined ? null : data });
    return emit.apply(this, arguments);
  };
}
