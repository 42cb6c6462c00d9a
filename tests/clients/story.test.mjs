// The chat story: what two people do with each other, from signing up to signing out, told once and lived by
// every client over every transport, with acks and with the envelope of 2013.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, kinds } from './client.mjs';
import { assertMessage, assertPublic, assertQuiet, freshName, ok, refused, signIn } from './people.mjs';
import { databases, startServer } from './server.mjs';

const NOT_SIGNED_IN = '尚未登陆';

for (const database of databases) {
  describe(`the chat story on ${database}`, { concurrency: 4 }, () => {
    let server;
    before(async () => {
      server = await startServer({ database, args: ['--rate-limit', 'off'] });
    });
    after(() => server.dispose());

    for (const kind of kinds) {
      for (const style of ['ack', 'envelope']) {
        test(`${kind.name}, ${style}`, () => story(server.url, kind, style));
      }
    }
  });
}

async function story(url, kind, style) {
  const a = await connect(url, kind, { style });
  const b = await connect(url, kind, { style });
  try {
    await signUpAndIn(a, b);
    await becomeFriends(a, b);
    await showPresence(a, b);
    await talk(a, b);
    await missMessages(a, b);
    await meetInRoom(a, b);
    await readLog(a, b);
    await findPeople(a, b);
    await changeProfile(a, b);
    await retrievePassword(a, b);
    await part(a, b);
    await sendNonsense(a);
    if (kind.transport === 'upgrade') {
      assert.deepEqual([a.transport, b.transport], ['websocket', 'websocket'], 'the upgrade took place');
    }
  } finally {
    a.close();
    b.close();
  }
}

async function signUpAndIn(a, b) {
  assert.strictEqual((await refused(a, 403, 'friends')).message, NOT_SIGNED_IN);
  await refused(a, 404, 'signup', { username: freshName('李雷') });
  await refused(a, 404, 'signup', { password: '111111' });

  for (const [client, stem, attributes] of [[a, '李雷', { sex: '1', hobbies: ['茶', 7] }], [b, 'mei', {}]]) {
    client.username = freshName(stem);
    client.password = '密码 111111';
    const reply = await ok(client, 'signup', { username: client.username, password: client.password, ...attributes });
    assert.ok(Number.isInteger(reply.id) && reply.id >= 1, `a number as id: ${JSON.stringify(reply)}`);
    assert.equal(typeof reply.message, 'string');
    client.id = reply.id;
  }
  await refused(a, 405, 'signup', { username: a.username, password: 'other' });
  assert.strictEqual((await refused(a, 403, 'friends')).message, NOT_SIGNED_IN, 'signing up does not sign in');

  const wrong = await refused(a, 404, 'signin', { username: a.username, password: 'wrong' });
  const nobody = await refused(a, 404, 'signin', { username: freshName('nobody'), password: 'wrong' });
  assert.strictEqual(wrong.message, nobody.message, 'the reply does not tell whether the account exists');
  await refused(a, 403, 'signin', { username: a.username });
  await refused(a, 403, 'signin', { password: a.password });

  const reply = await ok(a, 'signin', { username: a.username, password: a.password });
  assert.strictEqual(reply.message, `welcome back, ${a.username}`);
  const { id, username, sex, hobbies, presence } = reply.doc;
  const expected = { id: a.id, username: a.username, sex: '1', hobbies: ['茶', 7], presence: '在线' };
  assert.deepEqual({ id, username, sex, hobbies, presence }, expected);
  for (const secret of ['password', 'answer']) assert.ok(!(secret in reply.doc), `${secret} in ${JSON.stringify(reply.doc)}`);
  assert.deepEqual(reply.rooms, []);
  await refused(a, 402, 'signin', { username: a.username, password: a.password });

  assert.strictEqual((await ok(b, 'signin', { id: String(b.id), password: b.password })).doc.id, b.id);
}

async function becomeFriends(a, b) {
  await refused(a, 403, 'subscribe', {});
  await refused(a, 404, 'subscribe', { to: 999_999_999 });
  await refused(b, 404, 'reply', { to: a.id });

  await ok(a, 'subscribe', { to: b.id });
  const request = await b.take('message');
  assertMessage(request, { from: a, to: b, message: '', type: 'request-subscription' });
  await refused(a, 306, 'subscribe', { to: b.id });

  await ok(b, 'reply', { to: a.id, refuse: 1 });
  assertMessage(await a.take('message'), { from: b, to: a, message: '拒绝了你的好友请求', type: 'refuse' });

  await ok(a, 'subscribe', { to: String(b.id), message: '你好，我是李雷 😀' });
  const again = await b.take('message');
  assertMessage(again, { from: a, to: b, message: '你好，我是李雷 😀', type: 'request-subscription' });
  assert.deepEqual((await ok(a, 'friends', {})).list, [], 'a request is not a friendship');

  await ok(b, 'reply', { to: String(a.id), refuse: 0 });
  const agreed = await a.take('message');
  assertMessage(agreed, { from: b, to: a, message: '同意了你的好友请求', type: 'agree' });
  assert.strictEqual(agreed.from.presence, '在线');

  for (const [one, other] of [[a, b], [b, a]]) {
    const { list } = await ok(one, 'friends', {});
    assert.equal(list.length, 1);
    assert.deepEqual([list[0].id, list[0].username, list[0].presence], [other.id, other.username, '在线']);
    assertPublic(list[0]);
  }
  assert.equal((await ok(a, 'friends', { id: String(b.id) })).list.length, 1);
  assert.deepEqual((await ok(a, 'friends', { id: a.id })).list, []);

  await ok(a, 'group', { to: String(b.id), group: '同事 🍵' });
  assert.strictEqual((await ok(a, 'friends', {})).list[0].group, '同事 🍵');
  assert.ok(!('group' in (await ok(b, 'friends', {})).list[0]), 'a group is absent when unset');
  await refused(a, 403, 'group', { to: b.id });
  await refused(a, 404, 'group', { to: a.id, group: 'x' });
  await assertQuiet(a, b);
  await assertQuiet(b, a);
}

async function showPresence(a, b) {
  const seenBy = async (client) => (await ok(client, 'friends', {})).list[0].presence;

  await ok(b, 'presence', { presence: '忙碌' });
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '忙碌' });
  assert.strictEqual(await seenBy(a), '忙碌');

  await ok(b, 'presence', { presence: '隐身' });
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '离线' });
  assert.strictEqual(await seenBy(a), '离线');

  await ok(b, 'presence', { presence: '隐身' });
  await assertQuiet(b, a);

  await ok(b, 'presence', { presence: '在线' });
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '在线' });
  await assertQuiet(a, b);
}

async function talk(a, b) {
  await refused(a, 404, 'message', { message: 'to nobody' });
  await refused(a, 404, 'message', { to: 999_999_999, message: 'to a stranger to all' });

  const text = '今晚一起吃饭吗？🍜👨‍👩‍👧 "yes" & \'no\'';
  assert.deepEqual(await a.command('message', { to: b.id, message: text }), { code: 200 });
  assertMessage(await b.take('message'), { from: a, to: b, message: text });
  assert.deepEqual(await b.command('message', { to: String(a.id), message: '', time: 1_700_000_000_000 }), { code: 200 });
  const empty = await a.take('message');
  assertMessage(empty, { from: b, to: a, message: '' });
  assert.strictEqual(empty.time, 1_700_000_000_000);

  // Neither got a copy of what it sent.
  await assertQuiet(a, b);
  await assertQuiet(b, a);
}

async function missMessages(a, b) {
  assert.deepEqual(await b.command('signout'), { code: 200, message: 'bye' });
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '离线' });

  const missed = ['第一 1️⃣', '第二 2️⃣', '第三 3️⃣'];
  for (const message of missed) assert.deepEqual(await a.command('message', { to: b.id, message }), { code: 200 });

  const mark = b.log.length;
  await signIn(b);
  for (const [index, event] of (await b.collect('message', missed.length)).entries()) {
    assertMessage(event, { from: a, to: b, message: missed[index] });
  }
  assert.equal(b.log[mark].event, 'reply to signin', `the reply comes before what was missed; ${b.seen()}`);
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '在线' });

  await ok(b, 'signout');
  await signIn(b);
  await a.collect('presence', 2);
  // They came once.
  await assertQuiet(a, b);
}

async function meetInRoom(a, b) {
  await refused(a, 404, 'room.create', {});
  await refused(b, 404, 'room.join', {});
  await refused(b, 404, 'room.join', { id: 999_999_999 });

  const { room } = await ok(a, 'room.create', { name: '茶话会 🍵', intro: '随便聊' });
  const shortRoom = { id: room.id, name: '茶话会 🍵', intro: '随便聊', creator: a.id };
  assert.ok(Number.isInteger(room.id) && room.id >= 1);
  assert.deepEqual(room._roomdoc, shortRoom);
  assert.deepEqual(Object.keys(room.users), [String(a.id)]);
  assertPublic(room.users[a.id]);
  await takeJoin(a, shortRoom, a, true);

  await refused(b, 404, 'room.message', { room: room.id, message: 'from outside' });
  await refused(b, 404, 'room.list', { id: room.id });
  await ok(b, 'room.join', { id: String(room.id) });
  for (const client of [a, b]) await takeJoin(client, shortRoom, b, true);

  await ok(b, 'room.message', { room: String(room.id), message: '大家好 😀' });
  await ok(a, 'room.message', { id: room.id, message: '你好 🙂' });
  for (const client of [a, b]) {
    const [first, second] = await client.collect('message', 2);
    assertMessage(first, { from: b, to: client, message: '大家好 😀', room: room.id });
    assertMessage(second, { from: a, to: client, message: '你好 🙂', room: room.id });
  }
  await refused(b, 404, 'room.message', { room: room.id, message: '' });

  const { onlines, offlines } = await ok(a, 'room.list', { id: room.id });
  assert.deepEqual(onlines.map((user) => user.id).sort(), [a.id, b.id].sort());
  assert.deepEqual(offlines, []);
  onlines.forEach(assertPublic);

  // An offline member is listed as such, gets the room's messages later, and its rooms with the sign-in.
  await ok(b, 'signout');
  await a.take('presence');
  assert.deepEqual((await ok(a, 'room.list', { id: String(room.id) })).offlines.map((user) => user.id), [b.id]);
  await ok(a, 'room.message', { room: room.id, message: '谁在？👀' });
  assertMessage(await a.take('message'), { from: a, to: a, message: '谁在？👀', room: room.id });
  assert.deepEqual((await signIn(b)).rooms, [shortRoom]);
  for (const client of [a, b]) await takeJoin(client, shortRoom, b, false);
  assertMessage(await b.take('message'), { from: a, to: b, message: '谁在？👀', room: room.id });
  await a.take('presence');

  await ok(b, 'room.leave', { id: room.id });
  const left = await a.take('room.leave');
  assert.deepEqual([left.room.id, left.user.id], [room.id, b.id]);
  assertPublic(left.user);
  await refused(b, 404, 'room.message', { room: room.id, message: 'too late' });
  await ok(a, 'room.message', { room: room.id, message: 'alone' });
  await a.take('message');
  await assertQuiet(a, b);
  await assertQuiet(b, a);
}

async function takeJoin(client, room, user, newbie) {
  const event = await client.take('room.join');
  const { id, name, intro, creator } = event.room;
  assert.deepEqual({ id, name, intro, creator }, room);
  assert.deepEqual([event.user.id, event.user.username, event.newbie], [user.id, user.username, newbie]);
  assertPublic(event.user);
}

async function readLog(a, b) {
  const records = Array.from({ length: 25 }, (_, n) => `记录 ${n}`);
  await Promise.all(records.map((message) => ok(a, 'message', { to: b.id, message })));
  await b.collect('message', records.length);

  const first = await ok(b, 'log', { from: String(a.id), page: 1 });
  const last = await ok(b, 'log', { from: a.id, page: String(first.lastPage) });
  assert.deepEqual([first.currentPage, last.currentPage], [1, first.lastPage], 'page numbers are numbers');
  assert.strictEqual(first.docs[0].type, 'request-subscription', 'page 1 is the oldest');
  assert.ok(first.lastPage > 1 && first.docs.length === 20, 'twenty to a page');
  assert.deepEqual(last.docs.map((doc) => doc.message), records.slice(-last.docs.length));
  for (const doc of [...first.docs, ...last.docs]) {
    assert.deepEqual([doc.from, doc.to, typeof doc._id, typeof doc.time], [a.id, b.id, 'string', 'number'], JSON.stringify(doc));
    assert.ok(doc.readed === 0 || doc.readed === 1);
  }
  const beyond = await ok(b, 'log', { from: a.id, page: first.lastPage + 1 });
  assert.deepEqual([beyond.currentPage, beyond.lastPage, beyond.docs], [first.lastPage + 1, first.lastPage, []]);
  const none = await ok(a, 'log', { from: 999_999_999 });
  assert.deepEqual([none.currentPage, none.lastPage, none.docs], [1, 0, []]);
}

async function findPeople(a, b) {
  const ids = async (criteria) => (await ok(b, 'find', criteria)).users.map((user) => user.id);
  assert.deepEqual(await ids({ username: a.username }), [a.id]);
  assert.deepEqual(await ids({ id: a.id }), [a.id]);
  assert.deepEqual(await ids({ id: String(a.id), sex: 1 }), [a.id], 'numbers and numeric strings are the same');
  assert.deepEqual(await ids({ id: null }), []);
  assert.deepEqual(await ids({ id: a.id, sex: '2' }), []);
  assert.deepEqual(await ids({ password: a.password }), []);
  const { users } = await ok(b, 'find', {});
  assert.ok(users.length >= 2 && users.length <= 30);
  users.forEach(assertPublic);
}

async function changeProfile(a, b) {
  await refused(a, 404, 'profile', {});
  const [doc] = (await ok(a, 'find', { id: a.id })).users;
  const groups = [{ name: '同事 🍵' }, { name: '家人' }];
  const nick = freshName('小雷😀');
  const secret = { question: '最喜欢的颜色？', answer: '红色' };
  const posted = { ...doc, username: 'other', id: 1, presence: '忙碌', nick, groups, ...secret };
  await ok(a, 'profile', { doc: posted });
  // The desktop client posts an empty answer with every later save: it means "unchanged".
  await ok(a, 'profile', { doc: { sign: '你好 🙂', question: '', answer: '', password: '' } });

  const { users } = await ok(b, 'find', { nick });
  assert.equal(users.length, 1);
  assertPublic(users[0]);
  assert.deepEqual([users[0].id, users[0].username, users[0].sign, users[0].presence], [a.id, a.username, '你好 🙂', '在线']);

  await ok(a, 'signout');
  const own = (await signIn(a)).doc;
  assert.deepEqual([own.groups, own.question, own.nick, 'answer' in own], [groups, secret.question, nick, false]);
  assert.deepEqual((await b.collect('presence', 2)).map((event) => event.presence), ['离线', '在线']);
  // Its own room hears that it is back.
  await a.take('room.join');
}

async function retrievePassword(a, b) {
  await refused(b, 404, 'retrieve', {});
  await refused(b, 404, 'retrieve', { username: freshName('nobody') });
  await refused(b, 405, 'retrieve', { username: b.username });
  assert.strictEqual((await ok(b, 'retrieve', { username: a.username })).question, '最喜欢的颜色？');
  await refused(b, 406, 'retrieve', { username: a.username, answer: '蓝色', newpassword: 'new' });
  await ok(b, 'retrieve', { username: a.username, answer: '红色', newpassword: '新密码' });

  await ok(a, 'signout');
  await refused(a, 404, 'signin', { username: a.username, password: a.password });
  a.password = '新密码';
  await signIn(a);
  await a.take('room.join');
  await b.collect('presence', 2);
}

async function part(a, b) {
  await refused(b, 403, 'unsubscribe', {});
  await ok(b, 'unsubscribe', { to: String(a.id) });
  assert.deepEqual((await ok(b, 'friends', {})).list, []);
  assert.equal((await ok(a, 'friends', {})).list.length, 1, 'only the own direction is gone');
  await ok(b, 'unsubscribe', { id: a.id });

  // `a` still has `b`, so it hears of it; `b` no longer hears of `a`.
  await ok(a, 'presence', { presence: '离开' });
  await assertQuiet(a, b);
  assert.deepEqual(await b.command('signout'), { code: 200, message: 'bye' });
  assert.deepEqual(await a.take('presence'), { id: b.id, presence: '离线' });
  assert.strictEqual((await refused(b, 403, 'message', { to: a.id, message: 'x' })).message, NOT_SIGNED_IN);
  await ok(a, 'signout');
  a.assertAllTaken();
  b.assertAllTaken();
}

/** Arguments that no command knows are answered and hurt nobody; only an ack can carry the answer for sure. */
async function sendNonsense(client) {
  const reply = await client.emit('no.such.command', {});
  assert.strictEqual(reply.code, 404);
  for (const nonsense of [null, [], 7, '😀', { id: { $gt: '' } }]) {
    const { code, message } = await client.emit('friends', nonsense);
    assert.deepEqual([code, message], [403, NOT_SIGNED_IN], `friends with ${JSON.stringify(nonsense)}`);
  }
  assert.strictEqual((await client.emit('friends')).code, 403, 'an ack and no argument');
}
