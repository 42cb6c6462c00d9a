// What most stories begin with: people with accounts, friends among them, and proofs that nothing came.

import assert from 'node:assert/strict';
import { connect } from './client.mjs';

const PASSWORD = '密码111111';
let counter = 0;

/** A name that nobody else in this process has. */
export function freshName(stem) {
  counter += 1;
  return `${stem}-${process.pid}-${counter}`;
}

/** Connects and signs up, without signing in. */
export async function newcomer(url, kind, { style, options, ...attributes } = {}) {
  const client = await connect(url, kind, { style, options });
  client.username = freshName('小明');
  client.password = PASSWORD;
  const account = { username: client.username, password: client.password, ...attributes };
  client.id = (await client.orClosed(ok(client, 'signup', account))).id;
  return client;
}

/** Signs the client's account in on this connection. */
export async function signIn(client) {
  const reply = await client.command('signin', { username: client.username, password: client.password });
  assert.equal(reply.code, 200, `signin: ${JSON.stringify(reply)}`);
  return reply;
}

/** Connects, signs up and signs in. */
export async function person(url, kind, options) {
  const client = await newcomer(url, kind, options);
  await client.orClosed(signIn(client));
  return client;
}

/** All of these when they are there, for the time of test `t`. */
export async function together(t, ...coming) {
  const arrivals = await Promise.allSettled(coming);
  const clients = arrivals.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
  t.after(() => clients.forEach((client) => client.close()));
  // The first one that did not arrive says why.
  await Promise.all(coming);
  return clients;
}

/** Another connection of the same account, not signed in yet. */
export async function otherDevice(url, kind, of, { options } = {}) {
  const client = await connect(url, kind, { options });
  const { id, username, password } = of;
  return Object.assign(client, { id, username, password });
}

/** A command that must succeed. */
export async function ok(client, name, data) {
  const reply = await client.command(name, data);
  assert.equal(reply.code, 200, `${name} by ${client}: ${JSON.stringify(reply)}`);
  return reply;
}

/** A command that must be refused: with this number as its code and a text for the user. */
export async function refused(client, code, name, data) {
  const reply = await client.command(name, data);
  assert.strictEqual(reply.code, code, `${name} by ${client}: ${JSON.stringify(reply)}`);
  assert.equal(typeof reply.message, 'string');
  assert.notEqual(reply.message, '', `${name}: a refusal carries a text`);
  return reply;
}

/** Makes the two friends, each in the other's list. */
export async function befriend(one, other) {
  await ok(one, 'subscribe', { to: other.id });
  await other.take('message', (event) => event.type === 'request-subscription');
  await ok(other, 'reply', { to: one.id });
  await one.take('message', (event) => event.type === 'agree');
}

/**
 * Proves that what `from` did so far sent the targets nothing but what they have taken: what is sent to one
 * connection arrives in order, so a message sent now comes after anything that was caused before it.
 */
export async function assertQuiet(from, ...targets) {
  for (const target of targets) {
    const text = freshName('marker');
    await ok(from, 'message', { to: target.id, message: text });
    await target.take('message', (event) => event.message === text);
    target.assertAllTaken();
  }
}

/** Sends one marker to an account and proves the same for each of its devices. */
export async function assertQuietDevices(from, ...devices) {
  const text = freshName('marker');
  await ok(from, 'message', { to: devices[0].id, message: text });
  for (const device of devices) {
    await device.take('message', (event) => event.message === text);
    device.assertAllTaken();
  }
}

/** Checks a `message` event against the contract and what the test knows of it. */
export function assertMessage(event, { from, to, message, type = null, room = null }) {
  const shown = JSON.stringify(event);
  assert.strictEqual(event.from?.id, from.id, shown);
  assert.strictEqual(event.from.username, from.username, shown);
  assertPublic(event.from);
  assert.strictEqual(event.to, to.id, shown);
  assert.strictEqual(event.message, message, shown);
  assert.strictEqual(event.type ?? null, type, shown);
  assert.strictEqual(event.room ?? null, room, shown);
  assert.ok(Number.isInteger(event.time) && event.time > 1_600_000_000_000, `a time in milliseconds: ${shown}`);
  assert.strictEqual(event.readed, 0, shown);
}

/** Checks that a user as others see it says nothing that is not for others. */
export function assertPublic(user) {
  for (const secret of ['password', 'answer', 'question', 'groups', 'group', '_id']) {
    assert.ok(!(secret in user), `${secret} is not for others: ${JSON.stringify(user)}`);
  }
  assert.ok(Number.isInteger(user.id) && user.id >= 1, JSON.stringify(user));
  assert.equal(typeof user.presence, 'string', JSON.stringify(user));
}
